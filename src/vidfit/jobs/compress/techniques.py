"""Ways to compress a network: steps on its torch module, then on its exported graph."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Floats, Frames, TorchBackbone
from vidfit.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import nn

HELD_SHARE = 4
"""One calibration view of this number is kept from techniques: similarity is measured on it."""

PRUNED = 0.3
"""Share of multiply-accumulates that goes."""

TAUGHT_VIEWS = 8
"""Views of a step of distillation."""

LOOKED_AT = 32
"""Views by which pruning finds what matters."""

SETTINGS = (PRUNED, TAUGHT_VIEWS, LOOKED_AT)
"""What artefacts depend on beside the network, the frames and the steps of distillation."""


@dataclass(frozen=True)
class Technique:
    """A way to compress.

    Parameters
    ----------
    steps
        Keys of ``STEPS``, in order: those on modules come first.
    suits
        Architectures that it is tried on unless it is asked for by name.
    """

    steps: tuple[str, ...]
    suits: tuple[str, ...] = ("cnn2d", "cnn3d", "transformer")


_CNN = ("cnn2d", "cnn3d")

TECHNIQUES: dict[str, Technique] = {
    "float16-weights": Technique(("float16-weights",)),
    "int8-weights": Technique(("int8-weights",)),
    "int4-weights": Technique(("int4-weights",)),
    "int8-static": Technique(("int8-static",)),
    "int8-dynamic": Technique(("int8-dynamic",), ("transformer",)),
    "pruned": Technique(("prune", "distil")),
    "pruned-int8-weights": Technique(("prune", "distil", "int8-weights")),
    "pruned-int8-static": Technique(("prune", "distil", "int8-static"), _CNN),
}
"""Name -> technique; those that only store weights otherwise come first, as the quickest."""


@dataclass
class Workshop:
    """One network on its way through techniques; what two of them share is made once.

    Parameters
    ----------
    backbone
        The original.
    frames_BTHWC
        Views of calibration clips.
    folder
        Where graphs are written.
    distil_steps
        Updates by which the original teaches a smaller network.
    """

    backbone: TorchBackbone
    frames_BTHWC: Frames
    folder: Path
    distil_steps: int
    progress: Progress = SILENT
    _modules: dict[tuple[str, ...], tuple[nn.Module, tuple[str, ...]]] = field(default_factory=dict)
    _exports: dict[tuple[str, ...], Path] = field(default_factory=dict)

    @property
    def shown_BTHWC(self) -> Frames:  # noqa: N802
        """Views that techniques may look at."""
        shown_B = np.flatnonzero(np.arange(len(self.frames_BTHWC)) % HELD_SHARE)
        return self.frames_BTHWC[shown_B]

    @property
    def held_BTHWC(self) -> Frames:  # noqa: N802
        """Views by which the outcome is compared."""
        return self.frames_BTHWC[::HELD_SHARE]

    def make(self, technique: str, target: Path) -> tuple[str, ...]:
        """Write the graph of a technique, and return what was done, in words.

        Raises
        ------
        BackboneError
            If the network does not allow it.
        """
        steps = TECHNIQUES[technique].steps
        on_module = tuple(step for step in steps if step in MODULE_STEPS)
        _, done = self._module(on_module)
        words, path = list(done), self._export(on_module)
        for step in steps[len(on_module) :]:
            next_path = target.with_suffix(f".{step}.onnx")
            words.append(GRAPH_STEPS[step](self, path, next_path))
            path = next_path
        shutil.copyfile(path, target)
        for step in steps[len(on_module) :]:
            target.with_suffix(f".{step}.onnx").unlink()
        return tuple(words)

    def _module(self, steps: tuple[str, ...]) -> tuple[nn.Module, tuple[str, ...]]:
        if not steps:
            return self.backbone.network, ()
        if steps not in self._modules:
            before, words = self._module(steps[:-1])
            module, word = MODULE_STEPS[steps[-1]](self, before)
            self._modules[steps] = module, (*words, word)
        return self._modules[steps]

    def _export(self, steps: tuple[str, ...]) -> Path:
        from vidfit.runtime import onnx

        if steps not in self._exports:
            module, _ = self._module(steps)
            backbone = zoo.with_network(self.backbone, module) if steps else self.backbone
            path = self.folder / f".{backbone.spec.revision[:16]}.onnx"
            onnx.export(cast(TorchBackbone, backbone), path)
            self._exports[steps] = path
        return self._exports[steps]


def similarity(tokens_BND: Floats, original_BND: Floats) -> float:
    """Return the mean cosine of tokens to the original's; 0 where some are not finite."""
    if not np.isfinite(tokens_BND).all():
        return 0.0
    norms = np.linalg.norm(tokens_BND, axis=-1) * np.linalg.norm(original_BND, axis=-1)
    return float(((tokens_BND * original_BND).sum(-1) / np.maximum(norms, 1e-12)).mean())


def _prune(shop: Workshop, network: nn.Module) -> tuple[nn.Module, str]:
    from vidfit.compression.prune import prune_channels

    pruned = prune_channels(network, shop.shown_BTHWC[:LOOKED_AT], PRUNED)
    return pruned, f"channels and hidden units pruned, {PRUNED:.0%} of multiply-accumulates"


def _distil(shop: Workshop, network: nn.Module) -> tuple[nn.Module, str]:
    from vidfit.compression.distil import Distillation, distil

    settings = Distillation(steps=shop.distil_steps, batch_views=TAUGHT_VIEWS)
    taught = distil(network, shop.backbone.network, list(shop.shown_BTHWC), settings, shop.progress)
    return taught, f"taught by the original, {shop.distil_steps} steps"


def _static(shop: Workshop, source: Path, target: Path) -> str:
    from vidfit.compression.quantize import quantize_static

    quantize_static(source, target, shop.shown_BTHWC)
    return "8-bit weights and activations, ranges from calibration clips"


def _dynamic(shop: Workshop, source: Path, target: Path) -> str:
    from vidfit.compression.quantize import quantize_dynamic

    quantize_dynamic(source, target)
    return "8-bit matrix products, ranges as they run"


def _stored(bits: Literal[4, 8, 16], shop: Workshop, source: Path, target: Path) -> str:
    from vidfit.compression.store import store_weights

    store_weights(source, target, bits)
    return f"weights stored in {bits} bits, computed in 32"


ModuleStep = Callable[[Workshop, "nn.Module"], tuple["nn.Module", str]]
GraphStep = Callable[[Workshop, Path, Path], str]

MODULE_STEPS: dict[str, ModuleStep] = {
    "prune": _prune,
    "distil": _distil,
}
"""Steps on a torch module, each of which returns another and says what it did."""

GRAPH_STEPS: dict[str, GraphStep] = {
    "int8-static": _static,
    "int8-dynamic": _dynamic,
    "float16-weights": partial(_stored, 16),
    "int8-weights": partial(_stored, 8),
    "int4-weights": partial(_stored, 4),
}
"""Steps from a graph on disk to another."""
