"""Hugging Face encoders, from a local directory or the hub; no code of a model is ever run.

A directory holds ``config.json``, ``preprocessor_config.json`` and weights as safetensors (or
``pytorch_model.bin``, read as bare tensors). See `hub.families.FAMILIES` for the kinds.
"""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import (
    FrameBackbone,
    TorchEncoder,
    count_gmacs,
    count_parameters,
    freeze,
)
from vidfit.backbones.hub.encoder import Encoder
from vidfit.backbones.hub.families import DETECTORS, SEGMENTERS, Family
from vidfit.backbones.hub.reading import (
    BIN,
    CONFIG,
    FILES,
    configuration,
    model_type,
    of_values,
    preprocessing_of,
    read_config,
    read_processor,
    read_weights,
    sees,
)
from vidfit.contracts import Backbone, BackboneSpec, Preprocessing, Sampling
from vidfit.documents import to_json
from vidfit.errors import BackboneError

FRAMES_OF_IMAGE_ENCODERS = 8

TOKENIZER = "tokenizer.json"
_FETCHED = (CONFIG, TOKENIZER, "*.safetensors", "*.safetensors.index.json", *FILES, "README.md")

_FREE = ("apache", "mit", "bsd", "cc0", "cc-by-4", "cc-by-sa", "isc", "unlicense")


@dataclass(frozen=True)
class HfBackbone(TorchEncoder):
    """An encoder; ``processor`` are the settings of its image or video processor, as JSON."""

    processor: str = "{}"

    @property
    def configuration(self) -> str:
        """The config, as JSON: activations and heads, for two, leave no trace in the weights."""
        return _configuration(self.network)

    def save(self, directory: Path) -> None:
        """Write config, weights and processor into an existing directory."""
        model: Any = cast(Encoder, self.network).model
        with quiet():
            model.save_pretrained(directory)
        (directory / FILES[0]).write_text(self.processor + "\n", encoding="utf-8")


@dataclass(frozen=True)
class HfImageBackbone(HfBackbone, FrameBackbone):
    """An encoder that sees each frame alone."""


def load(source: str, *, download: bool = False) -> Backbone:
    """Load an encoder, a detector (`hub.detectors`) or a segmenter (`hub.segmenters`).

    Parameters
    ----------
    source
        A directory, or a name on the hub such as ``facebook/dinov2-small``, which must have
        been fetched before unless ``download`` is set. Only data files are fetched.
    download
        Whether the network may be used.

    Raises
    ------
    BackboneError
        When the directory or the name cannot be found, the kind of model is unknown, or the
        weights are missing, incomplete or more than tensors.
    """
    directory = Path(source).expanduser()
    if not directory.is_dir():
        directory = from_hub(source, download=download)
    if sees(directory) == "words":
        from vidfit.backbones.hub import text

        return text.load(f"hf:{source}", directory)
    settings = read_processor(directory)
    kind = model_type(directory)
    if kind in DETECTORS:
        from vidfit.backbones.hub import detectors

        return detectors.load(source, directory, settings)
    if kind in SEGMENTERS:
        from vidfit.backbones.hub import segmenters

        return segmenters.load(source, directory, settings)
    if sees(directory) == "sound":
        from vidfit.backbones.hub import sound

        return sound.load(f"hf:{source}", directory, settings)
    family, model, taken = read_model(directory)
    preprocessing = preprocessing_of(settings)
    network = freeze(Encoder(model, family, preprocessing))
    clip_len = int(getattr(model.config, family.frames)) if family.frames else 1
    spec = _spec(source, network, preprocessing, clip_len, directory)
    return replace(_backbone(spec, network, to_json(settings)), taken=taken)


def restore(directory: Path, spec: BackboneSpec) -> HfBackbone:
    """Rebuild a saved backbone from its config, weights and spec."""
    family, model, _ = read_model(directory)
    network = freeze(Encoder(model, family, spec.preprocessing))
    return _backbone(spec, network, to_json(read_processor(directory)))


def _backbone(spec: BackboneSpec, network: nn.Module, processor: str) -> HfBackbone:
    images = cast(Encoder, network).family.frames is None
    return (HfImageBackbone if images else HfBackbone)(spec, network, processor=processor)


def _spec(
    source: str, network: nn.Module, preprocessing: Preprocessing, clip_len: int, directory: Path
) -> BackboneSpec:
    encoder = cast(Encoder, network)
    licence = licence_of(directory)
    images = encoder.family.frames is None
    config: Any = encoder.model.config
    return BackboneSpec(
        name=f"hf:{source}",
        family="hf",
        architecture=encoder.family.architecture,
        sampling=Sampling(clip_len, FRAMES_OF_IMAGE_ENCODERS if images else 1),
        preprocessing=preprocessing,
        dim=config.hidden_sizes[-1] if hasattr(config, "hidden_sizes") else config.hidden_size,
        parameters=count_parameters(network),
        gmacs_per_view=_gmacs(network, preprocessing, clip_len),
        licence=licence,
        commercial_use=commercial_use(licence),
        source=source,
        revision=weights.revision(network.state_dict(), _configuration(network)),
    )


def _configuration(network: nn.Module) -> str:
    return configuration_of_model(cast(Encoder, network).model)


def configuration_of_model(model: Any) -> str:  # noqa: ANN401
    """Return what a model's config says of the network, as JSON."""
    return json.dumps(configuration(model.config), sort_keys=True, default=str)


def read_model(directory: Path) -> tuple[Family, Any, weights.Taken]:
    """Return the family of a directory, its encoder, and what that took of the weights.

    Raises
    ------
    BackboneError
        When they are damaged, incomplete, or of an unknown kind.
    """
    import transformers

    family, config = read_config(directory)
    state = read_weights(directory)
    model_class = getattr(transformers, family.model)
    try:
        with quiet():
            model, report = of_values(model_class, config, state, family.arguments)
    except Exception as error:  # networks check their configs, each in its own way
        raise BackboneError(
            f"The weights in {directory} cannot be read as a {family.model} "
            f"({type(error).__name__}: {error}). Valid are safetensors files that belong to "
            f"{CONFIG}, or {BIN} with nothing but tensors: download the model again."
        ) from error
    encoder = getattr(model, family.part) if family.part else model
    return family, encoder, _taken(report, encoder, family, directory)


def _taken(
    report: dict[str, Any], encoder: nn.Module, family: Family, directory: Path
) -> weights.Taken:
    """Refuse weights that would be random, and name what is left over."""
    misshapen = sorted(report["mismatched_keys"])
    taken = weights.Taken(
        count=len(encoder.state_dict()),
        ignored=tuple(sorted(report["unexpected_keys"])),
        missing=tuple(sorted(report["missing_keys"])),
        misshapen=tuple(f"{k} {tuple(got)} instead of {tuple(to)}" for k, got, to in misshapen),
    )
    taken.check(str(directory), family.model)
    strange = [
        name
        for name in taken.ignored
        if not any(f".{start}" in f".{name}" for start in family.left_out)
    ]
    if strange:
        warnings.warn(
            f"{directory} holds {len(strange)} tensors that {family.model} does not use: "
            f"{weights.some(strange)}",
            stacklevel=4,
        )
    return taken


def from_hub(source: str, *, download: bool) -> Path:
    """Return the directory of a model of the hub, fetched if need be and allowed."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            huggingface_hub.snapshot_download(
                source, local_files_only=not download, allow_patterns=list(_FETCHED)
            )
        )
    except HFValidationError as error:
        raise BackboneError(
            f"There is no directory {source!r}, and it is no name on the hub either. "
            "Pass a directory, or a name such as facebook/dinov2-small."
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        advice = (
            "Check the name and the network, or pass a local directory"
            if download
            else "Pass a local directory, or allow the download with download=True (--download)"
        )
        raise BackboneError(
            f"There is no directory {source!r}, and the hub's model of that name is not on this "
            f"machine ({type(error).__name__}). {advice}."
        ) from error


def _gmacs(network: nn.Module, preprocessing: Preprocessing, clip_len: int) -> float:
    """Count without computing: on the meta device, where attention is plain products."""
    shadow = copy.deepcopy(network).to("meta")
    with torch.device("meta"):
        return count_gmacs(shadow, preprocessing, clip_len)


def licence_of(directory: Path) -> str:
    """Read ``license:`` of the model card's front matter, which stands between two lines ---."""
    card = directory / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    front = re.match(
        r"[ \t]*---[ \t]*\n(.*?)(?:^[ \t]*---[ \t]*$|\Z)", text, re.DOTALL | re.MULTILINE
    )
    found = re.search(r"(?m)^license:[ \t]*(\S.*)$", front[1]) if front else None
    return found[1].strip().strip("\"'").lower() if found else "unknown"


def commercial_use(licence: str) -> bool | None:
    """Return whether a licence allows commercial use; ``None`` where it leaves it open."""
    name = licence.lower()
    if "-nc" in name:
        return False
    return True if name.startswith(_FREE) else None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' progress bars and reports; `_taken` speaks for them."""
    from transformers.utils import logging as hf_logging

    logging: Any = hf_logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
