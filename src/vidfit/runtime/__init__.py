"""Where a network runs fast: an engine that suits it, exported once, checked and measured.

2D convolutional networks prefer ONNX Runtime, 3D ones and transformers OpenVINO, and torch runs
what neither can; a short measurement on this machine may prefer otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    DeferredBackbone,
    Detector,
    Floats,
    Frames,
    GraphBackbone,
    TorchBackbone,
)
from vidfit.errors import BackboneError
from vidfit.runtime import cache as engine_cache
from vidfit.runtime import malloc
from vidfit.runtime.choice import (
    VIEWS_MEASURED,
    EngineChoice,
    Run,
    choose,
    in_pieces,
    views_a_run,
)
from vidfit.runtime.opened import (
    ENGINES,
    GRAPH_ENGINES,
    TOLERANCE,
    AnyNetwork,
    OpenedNetwork,
    held,
    network_of,
    open_engine,
    packages,
)
from vidfit.runtime.torch import has_cuda

__all__ = [
    "ENGINES",
    "PREFERRED",
    "TOLERANCE",
    "Accelerated",
    "accelerate",
    "loaded",
    "open_engine",
    "reopened",
]

PREFERRED: dict[str, tuple[str, ...]] = {
    "cnn2d": ("onnx", "openvino", "torch"),
    "cnn3d": ("openvino", "onnx", "torch"),
    "transformer": ("openvino", "onnx", "torch"),
    "algorithm": ("torch",),
}
"""Architecture -> engines in the order of preference; before them comes CUDA where there is it."""

_WHOLE = set(ENGINES) - GRAPH_ENGINES
"""Engines that take all frames at once."""


@dataclass(frozen=True)
class Accelerated:
    """A backbone whose network runs on an engine; see `accelerate`.

    Parameters
    ----------
    engine
        The one that runs.
    reason
        Why a preferred one does not; empty where it is only slower here.
    parity
        Largest difference of tokens to torch, relative to the largest of them; 0 for torch
        itself, and for a graph, which is its own reference.
    frames
        That a thread computes at once; 0 for all that it is given.
    """

    spec: BackboneSpec
    base: AnyNetwork
    engine: str
    run: Run
    reason: str = ""
    parity: float = 0.0
    frames: int = 0

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C]."""
        if complaint := self.spec.complaint(frames_BTHWC):
            raise BackboneError(complaint)
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
    """Return the backbone on the engine that runs it fastest here.

    Several threads may call ``forward`` at once; each call computes with ``threads`` threads.
    Backbones without a network, such as motion statistics, are returned as they are; of a detector
    its network runs on the engine. What is
    fastest, and how many frames at a time, is measured once for a machine, in about two seconds,
    and noted beside the export.

    Parameters
    ----------
    engine
        A key of `ENGINES`; ``None`` takes the fastest, and falls back to torch, with a reason,
        when no export agrees with it. A graph on disk runs on the engine that it was made for.
    threads
        Threads of one call, at least 1.
    cache
        Folder of exports; ``None`` is ``vidfit/engines`` in the user's cache folder.

    Raises
    ------
    BackboneError
        When the engine that was asked for is unknown or cannot run the network, or a graph is
        damaged or was altered.
    """
    if threads < 1:
        raise BackboneError(f"threads is {threads}; valid is 1 or more.")
    if engine is not None and engine not in ENGINES:
        raise BackboneError(f"There is no engine {engine!r}; valid are {', '.join(ENGINES)}.")
    if isinstance(backbone, Detector):
        network = accelerate(backbone.candidates, engine=engine, threads=threads, cache=cache)
        return backbone.over(network)
    malloc.tune()
    base = backbone.base if isinstance(backbone, Accelerated) else backbone
    if not isinstance(base, TorchBackbone | GraphBackbone | DeferredBackbone):
        return backbone
    engines = (engine,) if engine else _engines(base)
    folder = cache or engine_cache.default_folder()
    search = _Search(base, engines, threads, folder)
    if isinstance(base, DeferredBackbone) and not search.is_exported():
        base = base.loaded()
        search = replace(search, base=base)
    chosen, opened = search.found()
    run = opened.run
    if chosen.frames:
        run = in_pieces(run, views_a_run(base.spec, threads, chosen.frames))
    return Accelerated(
        backbone.spec, base, chosen.engine, run, chosen.reason, opened.parity, chosen.frames
    )


def loaded(accelerated: Accelerated) -> TorchBackbone | GraphBackbone:
    """Return the backbone that an engine runs, with its network."""
    base = accelerated.base
    return base.loaded() if isinstance(base, DeferredBackbone) else base


def reopened(base: TorchBackbone | GraphBackbone, engine: str, frames: int) -> Accelerated:
    """Return a backbone as `accelerate` chose to run it in another process, in one thread.

    Nothing is measured: processes that work together so compute alike. Where that engine cannot
    run it, the fastest that can is taken.
    """
    malloc.tune()
    try:
        opened = open_engine(base, engine, 1, engine_cache.default_folder())
        opened = held(opened, base, engine, _views(base, 1, frames))
    except BackboneError:
        other = accelerate(base)
        assert isinstance(other, Accelerated)  # noqa: S101  (it has a network)
        return other
    run = in_pieces(opened.run, views_a_run(base.spec, 1, frames)) if frames else opened.run
    return Accelerated(base.spec, base, engine, run, "", opened.parity, frames)


def _views(base: AnyNetwork, threads: int, frames: int) -> int:
    """Return how many views are given at once; to what takes all of them, some of them."""
    return views_a_run(base.spec, threads, frames) if frames else VIEWS_MEASURED


def _engines(base: AnyNetwork) -> tuple[str, ...]:
    """Return the engines to choose from, in the order of preference."""
    if isinstance(base, GraphBackbone):
        if base.spec.family not in GRAPH_ENGINES:
            raise BackboneError(
                f"{base.spec.name} is a graph for {base.spec.family!r}; valid are "
                f"{', '.join(sorted(GRAPH_ENGINES))}. It may come from a newer vidfit."
            )
        return (base.spec.family,)
    preferred = PREFERRED[base.spec.architecture]
    return ("cuda", *preferred) if has_cuda() else preferred


@dataclass(frozen=True)
class _Search:
    """A search for the engine to take; ``engines`` has one where it was asked for by name."""

    base: AnyNetwork
    engines: tuple[str, ...]
    threads: int
    folder: Path

    def is_exported(self) -> bool:
        """Return whether the engine is known, and has what it runs: the network is not needed."""
        noted = self._noted()
        if noted is None or noted.engine not in GRAPH_ENGINES:
            return False
        return engine_cache.whole(engine_cache.export_path(self.folder, self.base.spec)) is not None

    def found(self) -> tuple[EngineChoice, OpenedNetwork]:
        """Return what was noted, or measured now, and the network on that engine."""
        noted = self._noted()
        if noted is not None:
            try:
                return noted, self._open(noted.engine)
            except BackboneError:
                # Asked for by name, there is no other; else all are tried again.
                if len(self.engines) == 1:
                    raise
        if isinstance(self.base, DeferredBackbone):
            return replace(self, base=self.base.loaded()).found()
        opened, errors = self._open_all()
        measured = self._measured(opened, errors)
        chosen = EngineChoice(
            measured.engine, measured.frames, measured.seconds, " ".join(map(str, errors))
        )
        # A network that cannot be exported today may be tomorrow.
        if GRAPH_ENGINES.intersection(opened):
            chosen = self._note(chosen, opened)
        return chosen, opened[chosen.engine]

    def _measured(
        self, opened: dict[str, OpenedNetwork], errors: list[BackboneError]
    ) -> EngineChoice:
        """Return the choice; engines that differ from torch at their batch are left out of both."""
        while opened:
            runs = {name: one.run for name, one in opened.items()}
            found = choose(runs, self.base.spec, self.threads, _WHOLE)
            views = _views(self.base, self.threads, found.frames)
            try:
                opened[found.engine] = held(opened[found.engine], self.base, found.engine, views)
            except BackboneError as error:
                errors.append(error)
                del opened[found.engine]
            else:
                return found
        raise errors[0]

    def _open(self, engine: str) -> OpenedNetwork:
        return open_engine(self.base, engine, self.threads, self.folder)

    def _open_all(self) -> tuple[dict[str, OpenedNetwork], list[BackboneError]]:
        opened: dict[str, OpenedNetwork] = {}
        errors: list[BackboneError] = []
        for name in self.engines:
            try:
                opened[name] = self._open(name)
            except BackboneError as error:
                errors.append(error)
        return opened, errors

    def _place(self) -> tuple[Path, str]:
        """Return where the choice is noted, and of which network."""
        beside, network = network_of(self.base, self.folder)
        about = "-".join(("choice", *self.engines))
        versions = tuple(dict.fromkeys(p for name in self.engines for p in packages(name)))
        return engine_cache.note_path(beside, about, versions, self.threads), network

    def _noted(self) -> EngineChoice | None:
        note = engine_cache.read_note(*self._place())
        if note is None:
            return None
        found = [note.get(name) for name in ("engine", "frames", "seconds", "reason")]
        match found:
            case [str(engine), int(frames), dict(seconds), str(reason)] if engine in self.engines:
                return EngineChoice(engine, max(0, frames), seconds, reason)
        return None

    def _note(self, chosen: EngineChoice, opened: Mapping[str, OpenedNetwork]) -> EngineChoice:
        """Note a choice, unless another process was quicker: then take that one's."""
        noted = self._noted()
        if noted is not None and noted.engine in opened:
            return noted
        engine_cache.write_note(*self._place(), asdict(chosen))
        return chosen
