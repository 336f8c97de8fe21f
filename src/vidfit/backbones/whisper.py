"""The encoder of Whisper, as CTranslate2 runs it: what a network of speech to text hears.

Radford et al., "Robust speech recognition via large-scale weak supervision" (2022). The files are
those of a model of faster-whisper: ``config.json``, ``model.bin``, a tokenizer and a vocabulary.

Shape letters: B views, S samples, T steps of the network (50 a second), N seconds, D features.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.backbones.hub.sound import seconds_of
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, package_weights
from vidfit.contracts import BackboneSpec, Floats, Sampling
from vidfit.errors import BackboneError
from vidfit.files import sha256
from vidfit.hardware import hardware
from vidfit.views import NO_PICTURE

NAME = "whisper-tiny.en"
RATE_HERTZ = 16_000
FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt", "vocabulary.json")
"""Of a model of faster-whisper, one of the vocabularies is there."""

_VIEW_SECONDS, _VIEWS = 30.0, 4
_STEPS_A_SECOND, _ALL_STEPS = 50, 1500
_DIM, _PARAMETERS = 384, 8_208_384
_GMACS = 17.3
"""Of the encoder of tiny on 30 seconds: its layers, attention and two convolutions."""


def tiny_en() -> WhisperEncoder:
    """Return the encoder of Whisper tiny.en, whose weights lie in a package.

    Raises
    ------
    BackboneError
        When they were not fetched.
    """
    row = PACKAGE_WEIGHTS[NAME]
    folder = package_weights(NAME)["model.bin"].parent
    spec = BackboneSpec(
        name=NAME,
        family="whisper",
        architecture="transformer",
        sampling=Sampling.of_sound(RATE_HERTZ, _VIEW_SECONDS, _VIEWS),
        preprocessing=NO_PICTURE,
        dim=_DIM,
        parameters=_PARAMETERS,
        gmacs_per_view=_GMACS,
        licence=row.licence,
        commercial_use=True,
        source=f"pypi:{row.package}=={row.version}",
        revision=revision_of(folder),
        sees="sound",
    )
    return _opened(folder, spec)


def restore(directory: Path, spec: BackboneSpec) -> WhisperEncoder:
    """Open a saved encoder; its revision is that of the files that are found."""
    return _opened(directory, replace(spec, revision=revision_of(directory)))


def revision_of(folder: Path) -> str:
    """Return the sha256 of a model's weights and config."""
    parts = [sha256(folder / name) for name in FILES[:2] if (folder / name).is_file()]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _opened(folder: Path, spec: BackboneSpec) -> WhisperEncoder:
    import ctranslate2
    from faster_whisper.feature_extractor import FeatureExtractor

    try:
        model = ctranslate2.models.Whisper(
            str(folder),
            device="cpu",
            compute_type="float32",  # of processors without half precision, as CTranslate2 has it
            intra_threads=1,
            inter_threads=hardware().cores,
        )
    except (RuntimeError, ValueError) as error:
        raise BackboneError(
            f"{folder} cannot be opened as a Whisper model of CTranslate2 ({error}). Download it "
            "again"
        ) from error
    return WhisperEncoder(spec, folder, model, FeatureExtractor())


@dataclass(frozen=True)
class WhisperEncoder:
    """The encoder as a backbone: [B, S] to tokens [B, N, D], about one a second."""

    spec: BackboneSpec
    folder: Path
    model: Any
    extractor: Any

    def forward(self, samples_BS: Floats) -> Floats:
        """Return tokens [B, N, D] of views [B, S].

        Raises
        ------
        BackboneError
            When the views are no sound of at most 30 seconds.
        """
        if complaint := self.spec.complaint(samples_BS):
            raise BackboneError(complaint)
        return np.stack([self._tokens(view_S) for view_S in samples_BS])

    def save(self, directory: Path) -> None:
        """Copy the model's files into an existing directory."""
        for name in FILES:
            if (self.folder / name).is_file():
                shutil.copyfile(self.folder / name, directory / name)

    def _tokens(self, view_S: Floats) -> Floats:
        import ctranslate2

        features_KT = self.extractor(view_S)[:, : 2 * _ALL_STEPS]
        short = 2 * _ALL_STEPS - features_KT.shape[1]
        # Silence, as the logarithm has it once it is cut off and scaled.
        padded_KT = np.pad(features_KT, ((0, 0), (0, short)), constant_values=features_KT.min())
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(padded_KT[None], np.float32))
        steps_TD = np.array(self.model.encode(view, to_cpu=True), np.float32)[0]
        seconds = len(view_S) / RATE_HERTZ
        kept = max(1, min(round(seconds * _STEPS_A_SECOND), _ALL_STEPS))
        return seconds_of(steps_TD[:kept], seconds)
