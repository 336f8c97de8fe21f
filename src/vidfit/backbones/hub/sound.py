"""Encoders of sound by Hugging Face: the mean of what is known of each second.

What their feature extractors make of samples is computed by transformers itself, from the numbers
of ``preprocessor_config.json``.

Shape letters: B views, S samples, T steps of the network, N seconds, D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidfit.backbones import weights
from vidfit.backbones.encoder import count_parameters, freeze
from vidfit.backbones.hub import models
from vidfit.backbones.hub.reading import FILES, read_processor
from vidfit.contracts import BackboneSpec, Floats, Sampling
from vidfit.documents import to_json
from vidfit.errors import BackboneError
from vidfit.views import NO_PICTURE

if TYPE_CHECKING:
    from torch import nn

FAMILY = "hf-sound"
RATE_HERTZ = 16_000

_VIEWS = 6
_USUAL_SECONDS = 5
_EXTRACTORS = {"audio-spectrogram-transformer": ("ASTFeatureExtractor", 10.24)}
_OF_SAMPLES = ("Wav2Vec2FeatureExtractor", 10.0)
"""``model_type`` -> class in transformers, and the seconds of a view."""

_NUMBERS = frozenset(
    {
        *("feature_size", "sampling_rate", "hop_length", "chunk_length", "n_fft", "padding_value"),
        *("do_normalize", "num_mel_bins", "max_length", "mean", "std"),
    }
)


@dataclass(frozen=True)
class SoundBackbone:
    """An encoder of sound: [B, S] to tokens [B, N, D], about one a second.

    ``settings`` are those of its feature extractor, as JSON.
    """

    spec: BackboneSpec
    model: nn.Module
    extractor: Any
    settings: str
    taken: weights.Taken | None = None

    def forward(self, samples_BS: Floats) -> Floats:
        """Return tokens [B, N, D] of views [B, S].

        Raises
        ------
        BackboneError
            When the views are no sound of at most ``spec.sampling.clip_len`` samples.
        """
        if complaint := self.spec.complaint(samples_BS):
            raise BackboneError(complaint)
        return np.stack([self._tokens(view_S) for view_S in samples_BS])

    def save(self, directory: Path) -> None:
        """Write config, weights and settings into an existing directory."""
        model: Any = self.model
        with models.quiet():
            model.save_pretrained(directory)
        (directory / FILES[0]).write_text(self.settings + "\n", encoding="utf-8")

    def _tokens(self, view_S: Floats) -> Floats:
        import torch

        short = max(RATE_HERTZ // 40 - len(view_S), 0)  # what the first layers of a network span
        padded_S = np.pad(view_S, (0, short)) if short else view_S
        made = self.extractor(padded_S, sampling_rate=RATE_HERTZ, return_tensors="pt")
        with torch.inference_mode():
            output = self.model(made["input_values"])
        if made["input_values"].ndim == 3:  # a picture of all of it, which is pooled
            pooled_1D: Floats = output.pooler_output.float().numpy()
            return pooled_1D
        steps_TD = output.last_hidden_state[0].float().numpy()
        return seconds_of(steps_TD, len(padded_S) / RATE_HERTZ)


def seconds_of(steps_TD: Floats, seconds: float) -> Floats:
    """Return the means [N, D] of equal parts of about a second."""
    count = max(1, min(round(seconds), len(steps_TD)))
    return np.stack([part.mean(axis=0) for part in np.array_split(steps_TD, count)])


def load(name: str, directory: Path, settings: Mapping[str, Any]) -> SoundBackbone:
    """Load an encoder of sound of a directory; see `vidfit.backbones.hub.models.load`.

    Raises
    ------
    BackboneError
        When its files are missing or damaged, or it hears another rate than 16 kHz.
    """
    licence = models.licence_of(directory)
    return _loaded(name, name.removeprefix("hf:"), licence, directory, settings)


def restore(directory: Path, spec: BackboneSpec) -> SoundBackbone:
    """Rebuild a saved encoder; its revision is that of what is found."""
    settings = read_processor(directory)
    found = _loaded(spec.name, spec.source, spec.licence, directory, settings)
    return replace(found, spec=replace(spec, revision=found.spec.revision), taken=None)


def _loaded(
    name: str, source: str, licence: str, directory: Path, settings: Mapping[str, Any]
) -> SoundBackbone:
    import transformers

    _, model, taken = models.read_model(directory)
    network = freeze(model)
    state = network.state_dict()
    weights.check_finite(state, str(directory))
    kind = model.config.model_type
    class_name, view_seconds = _EXTRACTORS.get(kind, _OF_SAMPLES)
    known = {key: value for key, value in settings.items() if key in _NUMBERS}
    try:
        extractor = getattr(transformers, class_name)(**known)
        if extractor.sampling_rate != RATE_HERTZ:
            raise ValueError(f"it hears {extractor.sampling_rate} hertz; valid is {RATE_HERTZ}")
    except Exception as error:  # extractors check their numbers, each in its own way
        raise BackboneError(
            f"{directory / FILES[0]} cannot be understood ({type(error).__name__}: {error}). "
            "Download the model again."
        ) from error
    parameters = count_parameters(network)
    spec = BackboneSpec(
        name=name,
        family=FAMILY,
        architecture="transformer",
        sampling=Sampling.of_sound(RATE_HERTZ, view_seconds, _VIEWS),
        preprocessing=NO_PICTURE,
        dim=int(model.config.hidden_size),
        parameters=parameters,
        gmacs_per_view=parameters * 50 * _USUAL_SECONDS / 1e9,
        licence=licence,
        commercial_use=models.commercial_use(licence),
        source=source,
        revision=weights.revision(state, models.configuration_of_model(model)),
        sees="sound",
    )
    return SoundBackbone(spec, network, extractor, to_json(known, sort_keys=True), taken)
