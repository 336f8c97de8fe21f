"""A network opened on an engine: exported if need be, and held against torch before it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    DeferredBackbone,
    Floats,
    GraphBackbone,
    TorchBackbone,
)
from vidfit.errors import BackboneError
from vidfit.files import sha256
from vidfit.onnx_rules import check_network
from vidfit.runtime import cache
from vidfit.runtime.choice import Run

AnyNetwork = TorchBackbone | GraphBackbone | DeferredBackbone

ENGINES: dict[str, str] = {
    "onnx": "vidfit.runtime.onnx:open_session",
    "openvino": "vidfit.runtime.openvino:open_session",
    "torch": "vidfit.runtime.torch:open_eager",
    "compile": "vidfit.runtime.torch:open_compiled",
    "cuda": "vidfit.runtime.torch:open_cuda",
}
"""Engine -> ``module:function``; each module has ``PACKAGES``. Functions of `GRAPH_ENGINES` take a
path, those of the others a backbone; and threads."""

_TRACED = ("cnn2d", "cnn3d")
"""Architectures without branches, that are exported by following one run."""

GRAPH_ENGINES = frozenset({"onnx", "openvino"})
"""Engines that read ONNX files."""

TOLERANCE = 1e-3
"""Largest difference to torch that an engine may have, relative to the largest token value."""


BATCHES = (2, 1)
"""Views at once at which a network is held against torch when it is opened."""


@dataclass(frozen=True, slots=True)
class OpenedNetwork:
    """A network that runs; ``parity`` is its relative difference to torch."""

    run: Run
    parity: float


def packages(engine: str) -> tuple[str, ...]:
    """Return the packages whose versions an engine's speed and rounding depend on."""
    module = importlib.import_module(ENGINES[engine].partition(":")[0])
    return tuple(module.PACKAGES)


def _opener(engine: str) -> Callable[[Any, int], Run]:
    module, _, name = ENGINES[engine].partition(":")
    opener: Callable[[Any, int], Run] = getattr(importlib.import_module(module), name)
    return opener


def network_of(base: AnyNetwork, folder: Path) -> tuple[Path, str]:
    """Return beside what path notes about a network lie, and which network they are about."""
    if isinstance(base, GraphBackbone):
        return cache.graph_notes_path(folder, base.spec), base.spec.revision
    return cache.export_path(folder, base.spec), cache.key(base.spec)


def open_engine(base: AnyNetwork, engine: str, threads: int, folder: Path) -> OpenedNetwork:
    """Open a network on an engine.

    Raises
    ------
    BackboneError
        When the engine is not installed, cannot run the network, or differs from torch.
    """
    if isinstance(base, GraphBackbone) and engine not in GRAPH_ENGINES:
        raise BackboneError(
            f"{base.spec.name} is a graph on disk, which {engine} cannot run. "
            f"Valid are {', '.join(sorted(GRAPH_ENGINES))}; it was made for {base.spec.family}."
        )
    try:
        open_on = _opener(engine)
        if isinstance(base, GraphBackbone):
            return OpenedNetwork(open_on(_checked_graph(base), threads), 0.0)
        if engine in GRAPH_ENGINES:
            return _open_export(base, engine, threads, folder)
        run = open_on(base, threads)
        return OpenedNetwork(run, 0.0 if engine == "torch" else parity(run, base))
    except Exception as error:
        raise _cannot_run(base, engine, error) from error


def _cannot_run(base: AnyNetwork, engine: str, error: Exception) -> BackboneError:
    advice = "" if isinstance(base, GraphBackbone) else " Use engine='torch'."
    return BackboneError(f"{engine} cannot run {base.spec.name}: {first_cause(error)}.{advice}")


def parity(run: Run, base: Backbone, batches: Sequence[int] = BATCHES) -> float:
    """Return the largest difference to the backbone's tokens, relative to the largest of them.

    Parameters
    ----------
    batches
        How many views are given at once, one after the other: an engine may take other ways for
        each. The backbone itself looks at two views alone, of which batches are made.

    Raises
    ------
    ValueError
        If it is above `TOLERANCE`, or tokens are not numbers.
    """
    frames_BTHWC = _random_views(base.spec)
    expected_BND = base.forward(frames_BTHWC)
    largest = np.abs(expected_BND).max()
    worst = 0.0
    for views in batches:
        # 0 1 1 0 1 0 0 1 ...: no shift of it, nor its reverse, is the same for all lengths
        which_B = [view.bit_count() % 2 for view in range(views)]
        tokens_BND: Floats = run(frames_BTHWC[which_B])
        error = float(np.abs(tokens_BND - expected_BND[which_B]).max() / largest)
        if not error <= TOLERANCE:
            raise ValueError(
                f"its tokens differ from torch by {error:.2g} at a batch of {views}, "
                f"{TOLERANCE:g} is allowed"
            )
        worst = max(worst, error)
    return worst


def held(opened: OpenedNetwork, base: AnyNetwork, engine: str, views: int) -> OpenedNetwork:
    """Return a network once it was held against torch at the batch that will be used.

    Raises
    ------
    BackboneError
        If it differs there.
    """
    if isinstance(base, GraphBackbone) or engine == "torch" or views in BATCHES:
        return opened
    try:
        difference = parity(opened.run, base, (views,))
    except Exception as error:
        raise _cannot_run(base, engine, error) from error
    return OpenedNetwork(opened.run, max(opened.parity, difference))


def _open_export(
    base: TorchBackbone | DeferredBackbone, engine: str, threads: int, folder: Path
) -> OpenedNetwork:
    open_on = _opener(engine)
    path = cache.export_path(folder, base.spec)
    if cache.whole(path) is None:
        path = cache.writable(path)
    note_path = cache.note_path(path, engine, packages(engine), 1)
    network = cache.whole(path)
    if network is None:
        from vidfit.runtime import onnx

        whole = base.loaded() if isinstance(base, DeferredBackbone) else base

        def make(new: Path) -> float:
            if base.spec.architecture in _TRACED and not base.spec.preprocessing.block_pixels:
                with suppress(Exception):  # then the exporter that follows branches writes it
                    onnx.export_traced(whole, new)
                    return parity(open_on(new, 1), whole)
            onnx.export(whole, new)
            return parity(open_on(new, 1), whole)

        error = cache.write(path, make)
        facts = {"parity": error, "batches": list(BATCHES)}
        cache.write_note(note_path, sha256(path), facts)
    else:
        note = cache.read_note(note_path, network)
        is_held = note is not None and note.get("batches") == list(BATCHES)
        if note is None or not is_held or not isinstance(note.get("parity"), float):
            # Another engine exported it, or on another machine.
            note = {"parity": parity(open_on(path, 1), base), "batches": list(BATCHES)}
            cache.write_note(note_path, network, note)
        error = note["parity"]
    return OpenedNetwork(open_on(path, threads), error)


def _checked_graph(base: GraphBackbone) -> Path:
    """Return the path of a graph that is the one of its spec, and no more than a network."""
    if sha256(base.graph) != base.spec.revision:
        raise ValueError(f"{base.graph} was altered after it was written; copy the model again")
    check_network(base.graph)
    return base.graph


def _random_views(spec: BackboneSpec) -> Any:  # noqa: ANN401
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    shape = (2, spec.sampling.clip_len, *size, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def first_cause(error: BaseException) -> str:
    """Return one line about what went wrong first; exporters wrap it in general advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('. ')}"
