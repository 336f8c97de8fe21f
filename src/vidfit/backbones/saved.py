"""Backbones on disk: ``spec.json`` beside weights, and back; no code is stored or run."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from vidfit.backbones.notation import plain_name, with_spec
from vidfit.contracts import Backbone, BackboneSpec, Preprocessing, Sampling, TorchBackbone
from vidfit.errors import BackboneError

SPEC_FILE = "spec.json"
ENTRY_POINTS = "vidfit.backbones"

RESTORE: dict[str, str] = {
    "efficientnet-lite": "vidfit.backbones.lite:restore",
    "hf": "vidfit.backbones.hf:restore",
    "mobilenetv2": "vidfit.backbones.mobilenet:restore",
    "motion": "vidfit.backbones.motion:restore",
    "transnetv2": "vidfit.backbones.transnet:restore",
    "network": "vidfit.jobs.frame_network:restore",
    "onnx": "vidfit.backbones.graph:restore",
    "openvino": "vidfit.backbones.graph:restore",
    "vgg": "vidfit.backbones.vgg:restore",
}
"""``spec.family`` -> function ``(directory: Path, spec: BackboneSpec) -> Backbone``.

A family of one's own is added with ``RESTORE["mine"] = "my_module:restore"``, in a module that
an entry point names, or in a file that is loaded before.
"""


def save(backbone: Backbone, directory: Path) -> None:
    """Write a backbone into a directory, which is created when missing."""
    directory.mkdir(parents=True, exist_ok=True)
    backbone.save(directory)
    facts = dataclasses.asdict(backbone.spec)
    (directory / SPEC_FILE).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def restore(directory: Path) -> Backbone:
    """Read a backbone that `save` wrote; runs no code from the directory.

    Raises
    ------
    BackboneError
        When files are missing or damaged, the family is unknown, or the weights are not
        those that the spec names.
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
    module, _, attribute = RESTORE[spec.family].partition(":")
    function = getattr(importlib.import_module(module), attribute)
    # A family knows its networks by their own names; what was put around one is put back.
    plain = dataclasses.replace(spec, name=plain_name(spec.name))
    backbone = cast(Callable[[Path, BackboneSpec], Backbone], function)(directory, plain)
    if plain != spec:
        backbone = with_spec(backbone, spec)
    _verify(backbone, spec, directory)
    return backbone


def _verify(backbone: Backbone, spec: BackboneSpec, directory: Path) -> None:
    """Refuse weights that differ from those that were saved."""
    found = backbone.spec.revision
    if isinstance(backbone, TorchBackbone):
        from vidfit.backbones import weights

        found = weights.digest(backbone.network.state_dict())
    if found != spec.revision:
        raise BackboneError(
            f"The weights in {directory} are not those of its {SPEC_FILE}: sha256 {found[:12]} "
            f"instead of {spec.revision[:12]}. They were altered: save the backbone again."
        )


def _read_spec(path: Path) -> BackboneSpec:
    if not path.is_file():
        raise BackboneError(
            f"{path} is missing, so {path.parent} is no saved backbone. "
            "Pass a directory that vidfit.backbones.save wrote."
        )
    try:
        return _spec_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise BackboneError(
            f"{path} cannot be understood ({type(error).__name__}: {error}). "
            "It is damaged or comes from a newer vidfit: save the backbone again."
        ) from error


def _spec_from(facts: dict[str, Any]) -> BackboneSpec:
    preprocessing = dict(facts["preprocessing"])
    for key in ("mean", "std"):
        preprocessing[key] = tuple(preprocessing[key])
    values = facts | {
        "sampling": Sampling(**facts["sampling"]),
        "preprocessing": Preprocessing(**preprocessing),
    }
    return BackboneSpec(**values)
