"""Backbones on disk: ``spec.json`` beside weights, and back; no code is stored or run."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

from vidfit.backbones.notation import plain_name, with_spec
from vidfit.backbones.weights_file import WEIGHTS_FILE, digest_of_file
from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    Floats,
    Frames,
    Preprocessing,
    Sampling,
    TorchBackbone,
)
from vidfit.documents import FieldRule, read_json, to_json, value_of, within
from vidfit.errors import BackboneError

SPEC_FILE = "spec.json"
ENTRY_POINTS = "vidfit.backbones"

RESTORE: dict[str, str] = {
    "efficientnet-lite": "vidfit.backbones.lite:restore",
    "efficientnet-lite-places": "vidfit.backbones.places:restore",
    "dlib-face": "vidfit.backbones.faces.network:restore",
    "hf": "vidfit.backbones.hub.models:restore",
    "hf-detector": "vidfit.backbones.hub.detectors:restore",
    "hf-segmenter": "vidfit.backbones.hub.segmenters:restore",
    "hf-sound": "vidfit.backbones.hub.sound:restore",
    "hf-text": "vidfit.backbones.hub.text:restore",
    "log-mel": "vidfit.backbones.log_mel:restore",
    "mobilenetv2": "vidfit.backbones.mobilenet:restore",
    "motion": "vidfit.backbones.motion:restore",
    "nanodet": "vidfit.backbones.nanodet:restore",
    "nanodet-trained": "vidfit.backbones.nanodet_head:restore",
    "selfie": "vidfit.backbones.segmenters.selfie:restore",
    "speed-grid": "vidfit.backbones.speed_grid:restore",
    "transnetv2": "vidfit.backbones.transnet:restore",
    "onnx": "vidfit.backbones.graph:restore",
    "openvino": "vidfit.backbones.graph:restore",
    "vader": "vidfit.backbones.vader:restore",
    "vgg": "vidfit.backbones.vgg:restore",
    "whisper": "vidfit.backbones.whisper:restore",
}
"""``spec.family`` -> function ``(directory: Path, spec: BackboneSpec) -> Backbone``.

A family of one's own is added with ``RESTORE["mine"] = "my_module:restore"``, in a module that
an entry point names, or in a file that is loaded before.
"""


_WEIGHTS = r"weights\.safetensors"
_HF = (
    r"config\.json|(video_)?preprocessor_config\.json|model\.safetensors(\.index\.json)?"
    r"|model-\d{5}-of-\d{5}\.safetensors"
)
_FILES: dict[str, str] = {
    "dlib-face": _WEIGHTS,
    "efficientnet-lite": _WEIGHTS,
    "efficientnet-lite-places": _WEIGHTS,
    "hf": _HF,
    "hf-detector": _HF,
    "hf-segmenter": _HF,
    "hf-sound": _HF,
    "hf-text": rf"{_HF}|tokenizer\.json",
    "log-mel": "",
    "mobilenetv2": _WEIGHTS,
    "motion": "",
    "nanodet": r"nanodet\.(json|bin)",
    "nanodet-trained": rf"nanodet\.(json|bin)|{_WEIGHTS}|classes\.json",
    "selfie": r"selfie\.(json|bin)",
    "speed-grid": "",
    "transnetv2": _WEIGHTS,
    "network": rf"{_WEIGHTS}|shape\.json|words\.json",
    "onnx": r"network\.onnx",
    "openvino": r"network\.onnx",
    "vader": "",
    "vgg": _WEIGHTS,
    "whisper": r"(config|tokenizer)\.json|model\.bin|vocabulary\.(txt|json)",
}
"""Family -> the files that vidfit writes beside ``spec.json``: others are refused, as libraries
look for files of their own. A family of one's own may have any."""

_DEFERRED = frozenset({"efficientnet-lite", "mobilenetv2", "transnetv2", "vgg"})
"""Families whose weights say all of their networks: a digest of the file tells which it is."""

MOST_CLIP_BYTES = 2**30
"""Of the frames of a clip, all views."""

_RULES = {
    (Sampling, "clip_len"): within(1, 10**7),
    (Sampling, "num_clips"): within(1, 4096),
    (Sampling, "interval_seconds"): within(1e-6, 86_400.0),
    (Preprocessing, "height_pixels"): within(1, 4096),
    (Preprocessing, "width_pixels"): within(1, 4096),
    (Preprocessing, "short_side_pixels"): within(1, 8192),
    (Preprocessing, "block_pixels"): within(1, 256),
    (Preprocessing, "std"): FieldRule(lambda std: min(std) > 0, "numbers above 0"),
    (BackboneSpec, "name"): FieldRule(bool, "a text that is not empty"),
    (BackboneSpec, "dim"): within(1, 10**6),
    (BackboneSpec, "parameters"): within(0, 10**13),
    (BackboneSpec, "gmacs_per_view"): within(0.0, 1e9),
}


@dataclass(frozen=True)
class SavedBackbone:
    """A backbone in a directory, as a `vidfit.contracts.DeferredBackbone`."""

    spec: BackboneSpec
    directory: Path

    def loaded(self) -> TorchBackbone:
        """Return it with its network."""
        return cast(TorchBackbone, restore(self.directory))

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C]."""
        return self.loaded().forward(frames_BTHWC)

    def save(self, directory: Path) -> None:
        """Write the weights into an existing directory."""
        self.loaded().save(directory)


def save(backbone: Backbone, directory: Path) -> None:
    """Write a backbone into a directory, which is created when missing.

    In ``spec.json`` the revision is that of the weights alone: what else is a part of it is read
    from the network that they are put into.
    """
    directory.mkdir(parents=True, exist_ok=True)
    backbone.save(directory)
    spec = backbone.spec
    beneath = getattr(backbone, "base", backbone)  # where an engine runs it
    if isinstance(beneath, TorchBackbone) and configuration_of(beneath):
        from vidfit.backbones import weights

        spec = dataclasses.replace(spec, revision=weights.digest(beneath.network.state_dict()))
    (directory / SPEC_FILE).write_text(to_json(spec.facts, indent=2) + "\n", encoding="utf-8")


def restore(directory: Path, *, deferred: bool = False) -> Backbone:
    """Read a backbone that `save` wrote; runs no code from the directory.

    Parameters
    ----------
    deferred
        Give a `SavedBackbone` where a digest of the file of its weights is that of the spec.

    Raises
    ------
    BackboneError
        When files are missing, damaged or not those of its family, the family is unknown, or
        the weights are no numbers, or not those that the spec names.
    """
    spec = _read_spec(directory / SPEC_FILE)
    if spec.family not in RESTORE:
        for entry_point in metadata.entry_points(group=ENTRY_POINTS):
            entry_point.load()
    if spec.family not in RESTORE:
        raise BackboneError(
            f"{directory} holds a backbone of the family {spec.family!r}; known are "
            f"{', '.join(RESTORE)}. If it is your own, name its file: `--backbone FILE.py:NAME`, "
            "and in that file its restore function in vidfit.backbones.RESTORE."
        )
    _check_files(directory, spec.family)
    if deferred and spec.family in _DEFERRED and _digest_of(directory) == spec.revision:
        return SavedBackbone(spec, directory)
    module, _, attribute = RESTORE[spec.family].partition(":")
    function = getattr(importlib.import_module(module), attribute)
    # A family knows its networks by their own names; what was put around one is put back.
    plain = dataclasses.replace(spec, name=plain_name(spec.name))
    backbone = cast(Callable[[Path, BackboneSpec], Backbone], function)(directory, plain)
    return _verified(backbone, spec, directory)


def _digest_of(directory: Path) -> str:
    """Return the digest of the weights of a directory; empty where torch must read them."""
    try:
        return digest_of_file(directory / WEIGHTS_FILE)
    except (OSError, ValueError):
        return ""


def configuration_of(backbone: Backbone) -> str:
    """Return what the weights of a backbone do not say of its network."""
    return str(getattr(backbone, "configuration", ""))


def _check_files(directory: Path, family: str) -> None:
    if family not in _FILES:
        return
    known = re.compile(f"{_FILES[family]}|{re.escape(SPEC_FILE)}")
    for path in sorted(directory.iterdir()):
        if not known.fullmatch(path.name) or not path.is_file():
            raise BackboneError(
                f"{directory} has {path.name!r}, which vidfit never writes for a backbone of the "
                f"family {family!r}. Do not trust it, or take that away if you put it there."
            )


def _verified(backbone: Backbone, spec: BackboneSpec, directory: Path) -> Backbone:
    """Refuse weights that differ from those that were saved; return the backbone under its spec.

    Its revision is of what was found: of a network under another configuration, it is another.
    """
    found, revision = backbone.spec.revision, spec.revision
    if isinstance(backbone, TorchBackbone):
        from vidfit.backbones import weights

        state = backbone.network.state_dict()
        weights.check_finite(state, str(directory))
        found = weights.digest(state)
        revision = weights.revision(state, configuration_of(backbone))
    if found != spec.revision:
        raise BackboneError(
            f"The weights in {directory} are not those of its {SPEC_FILE}: sha256 {found[:12]} "
            f"instead of {spec.revision[:12]}. They were altered: save the backbone again."
        )
    wanted = dataclasses.replace(spec, revision=revision)
    return backbone if backbone.spec == wanted else with_spec(backbone, wanted)


def _read_spec(path: Path) -> BackboneSpec:
    if not path.is_file():
        raise BackboneError(
            f"{path} is missing, so {path.parent} is no saved backbone. "
            "Pass a directory that vidfit.backbones.save wrote."
        )
    try:
        spec = value_of(BackboneSpec, read_json(path), _RULES)
        _check_clip(spec)
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"{path} cannot be understood ({error}). "
            "It is damaged or comes from a newer vidfit: save the backbone again."
        ) from error
    return spec


def _check_clip(spec: BackboneSpec) -> None:
    """Refuse views that no machine should be asked to hold."""
    sampling, size = spec.sampling, spec.preprocessing
    frames = sampling.num_clips * sampling.clip_len
    if spec.sees == "frames" and sampling.clip_len > 4096:
        raise ValueError(f"it: a view has {sampling.clip_len:,} frames; give at most 4,096")
    clip_bytes = frames * size.height_pixels * size.width_pixels * 3
    if clip_bytes > MOST_CLIP_BYTES:
        raise ValueError(
            f"it: a clip is {frames:,} frames of {size.height_pixels} x {size.width_pixels}, "
            f"{clip_bytes:,} bytes; give at most {MOST_CLIP_BYTES:,}"
        )
