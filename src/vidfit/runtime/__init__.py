"""Where a network runs fast: the engine that suits it, exported once and checked.

2D convolutional networks run on ONNX Runtime, 3D ones and transformers on OpenVINO, and on
torch what neither can export.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from vidfit.contracts import Backbone, BackboneSpec, Floats, Frames, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.runtime import cache as engine_cache
from vidfit.runtime import malloc

ENGINES: dict[str, str] = {
    "onnx": "vidfit.runtime.onnx",
    "openvino": "vidfit.runtime.openvino",
    "torch": "vidfit.runtime.torch",
}
"""Engine -> module. Those but torch have ``SUFFIX``, ``PACKAGES``,
``export(backbone, path)`` and ``open_session(path, threads)``."""

PREFERRED: dict[str, tuple[str, ...]] = {
    "cnn2d": ("onnx", "openvino"),
    "cnn3d": ("openvino", "onnx"),
    "transformer": ("openvino", "onnx"),
    "algorithm": (),
}
"""Architecture -> engines in the order in which they are tried, before torch."""

TOLERANCE = 1e-3
"""Largest difference to torch that an export may have, relative to the largest token value."""

FRAMES_A_RUN = 2
"""Frames that a thread computes at once, or one view if that is longer.

What layers hand to each other then stays in the caches of the core: on two busy cores of a
Xeon with AVX-512, 8 frames of EfficientNet-Lite0 take 29 ms instead of 33 in one batch, ViT-S
267 instead of 291, ResNet-50 as long as before; features are equal to the bit.
"""

Run = Callable[[Frames], Floats]


@dataclass(frozen=True)
class Accelerated:
    """A backbone whose network runs on an engine; see `accelerate`.

    ``engine`` is the one that runs; ``reason`` says why a preferred one does not.
    """

    spec: BackboneSpec
    base: TorchBackbone
    engine: str
    run: Run
    reason: str = ""

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C]."""
        size = (self.spec.preprocessing.height_pixels, self.spec.preprocessing.width_pixels)
        expected = (self.spec.sampling.clip_len, *size, 3)
        if frames_BTHWC.dtype != np.uint8 or frames_BTHWC.shape[1:] != expected:
            raise BackboneError(
                f"{self.spec.name} received {frames_BTHWC.dtype} views of shape "
                f"{frames_BTHWC.shape}; it takes uint8 [B, {', '.join(map(str, expected))}]. "
                "Sample and scale the frames as spec.sampling and spec.preprocessing say."
            )
        return self.run(frames_BTHWC)

    def save(self, directory: Path) -> None:
        """Write the backbone's weights; exports are made anew on each machine."""
        self.base.save(directory)


def accelerate(
    backbone: Backbone,
    *,
    engine: str | None = None,
    threads: int = 1,
    cache: Path | None = None,
) -> Backbone:
    """Return the backbone on the engine that runs its kind of network fastest.

    Several threads may call ``forward`` at once; each call computes with ``threads`` threads.
    Backbones without a network, such as motion statistics, are returned as they are.

    Parameters
    ----------
    engine
        A key of `ENGINES`; ``None`` takes the best for ``spec.architecture``, and falls back
        to torch, with a reason, when no export agrees with it.
    threads
        Threads of one call, at least 1.
    cache
        Folder of exports; ``None`` is ``vidfit/engines`` in the user's cache folder.

    Raises
    ------
    BackboneError
        When the engine that was asked for is unknown or cannot run the network.
    """
    if threads < 1:
        raise BackboneError(f"threads is {threads}; valid is 1 or more.")
    if engine is not None and engine not in ENGINES:
        raise BackboneError(f"There is no engine {engine!r}; valid are {', '.join(ENGINES)}.")
    malloc.tune()
    spec = backbone.spec
    if isinstance(backbone, Accelerated):
        backbone = backbone.base
    if not isinstance(backbone, TorchBackbone):
        return backbone
    folder = cache or engine_cache.default_folder()
    reasons: list[str] = []
    for name in (engine,) if engine else (*PREFERRED[spec.architecture], "torch"):
        try:
            run = _open(backbone, name, threads, folder)
        except BackboneError as error:
            if engine:
                raise
            reasons.append(str(error))
        else:
            return Accelerated(spec, backbone, name, run, " ".join(reasons))
    raise BackboneError(f"No engine runs {spec.name}. {' '.join(reasons)}")


def _open(backbone: TorchBackbone, engine: str, threads: int, folder: Path) -> Run:
    module = importlib.import_module(ENGINES[engine])
    if engine == "torch":
        run: Run = module.open_network(backbone, threads)
        return run
    # Names such as hf:org/name are no file names.
    name = re.sub("[^a-zA-Z0-9.]+", "-", backbone.spec.name)
    try:
        key = engine_cache.key(backbone.spec, engine, module.PACKAGES)
        path = folder / f"{name}-{key}{module.SUFFIX}"
        if not engine_cache.is_whole(path):
            engine_cache.write(path, lambda new: _export(backbone, module, new))
        session: Run = module.open_session(path, threads)
    except Exception as error:
        raise BackboneError(
            f"{engine} cannot run {backbone.spec.name}: {_first_cause(error)} Use engine='torch'."
        ) from error
    return in_pieces(session, max(1, FRAMES_A_RUN * threads // backbone.spec.sampling.clip_len))


def in_pieces(run: Run, views: int) -> Run:
    """Return ``run`` given so many views at a time."""

    def in_turn(frames_BTHWC: Frames) -> Floats:
        if len(frames_BTHWC) <= views:
            return run(frames_BTHWC)
        starts = range(0, len(frames_BTHWC), views)
        return np.concatenate([run(frames_BTHWC[v : v + views]) for v in starts])

    return in_turn


def _first_cause(error: BaseException) -> str:
    """Return one line about what went wrong first; exporters wrap it in general advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('. ')}."


def _export(backbone: TorchBackbone, module: ModuleType, path: Path) -> None:
    """Export and hold the export against torch on random frames."""
    module.export(backbone, path)
    spec = backbone.spec
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    shape = (2, spec.sampling.clip_len, *size, 3)
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected_BND = backbone.forward(frames_BTHWC)
    tokens_BND = module.open_session(path, 1)(frames_BTHWC)
    error = float(np.abs(tokens_BND - expected_BND).max() / np.abs(expected_BND).max())
    if not error <= TOLERANCE:
        raise ValueError(f"its tokens differ from torch by {error:.2g}, {TOLERANCE:g} is allowed")
