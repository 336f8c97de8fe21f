"""Load the candidates, measure what each costs on the user's own clips, keep what fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.backbones import catalogue
from vidfit.backbones.catalogue import licence_refusal
from vidfit.backbones.notation import cheap_forms
from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    Clip,
    Cost,
    Detector,
    Failure,
    GraphBackbone,
    TorchBackbone,
    seconds_a_clip,
)
from vidfit.errors import BackboneError, BudgetError, VideoError
from vidfit.features import STATISTICS, Pooling
from vidfit.features.fingerprint import NAME as FINGERPRINT
from vidfit.features.outcome import features_of
from vidfit.features.senses import Readers, gather
from vidfit.fusion import METHODS
from vidfit.hardware import hardware, resident_bytes
from vidfit.progress import SILENT, Progress
from vidfit.reported import MAJORITY
from vidfit.runtime import Accelerated, accelerate
from vidfit.shown import counted
from vidfit.study.options import SelectOptions
from vidfit.video.names import is_photo

NO_NETWORK = "it is an algorithm and no network, and --network-only was asked for"
"""Why such a candidate is left out."""

CHEAP = 0.8
"""A cheap form of a network takes at most this share of its time for a clip."""

_PROBE_CLIPS = 4
_TAKEN = frozenset({MAJORITY, FINGERPRINT})


@dataclass(frozen=True)
class Loaded:
    """A candidate that runs here, what it costs, and what it took of its checkpoint."""

    backbone: Backbone
    cost: Cost
    taken: str = ""

    @property
    def name(self) -> str:
        """The backbone's name."""
        return self.backbone.spec.name


def load_candidates(
    names: Iterable[str],
    clips: Sequence[Clip],
    *,
    download: bool = False,
    cache: Path | None = None,
    progress: Progress = SILENT,
    pooling: Pooling = STATISTICS,
) -> tuple[list[Loaded], list[Failure]]:
    """Load, compile and time each candidate; one that cannot run is dropped with its reason.

    Parameters
    ----------
    clips
        A few clips to measure on; those that cannot be read are passed over.
    pooling
        What will be learned from: an encoder that cannot give it is dropped before it runs.

    Raises
    ------
    BackboneError
        If no candidate runs.
    """
    loaded: list[Loaded] = []
    dropped: list[Failure] = []
    for name in names:
        progress.advance()
        before = resident_bytes()
        try:
            found = zoo.load(name, download=download)
            pooling.of(found)
            backbone = accelerate(found, cache=cache)
            _check_name(backbone.spec.name, loaded)
            decode, forward = _time(backbone, clips)
        except Exception as error:  # a candidate's own code: whatever it raises drops it alone
            dropped.append(Failure(name, _reason(error)))
            continue
        memory_bytes = max(0, resident_bytes() - before)
        spec = backbone.spec
        cost = Cost(decode, forward, memory_bytes, spec.gmacs_per_clip, _weights(backbone))
        loaded.append(Loaded(backbone, cost, str(zoo.loading_report(found) or "")))
    if not loaded:
        reasons = "; ".join(f"{failure.name}: {failure.reason}" for failure in dropped)
        raise BackboneError(f"no candidate runs here ({reasons})")
    return loaded, dropped


def _weights(backbone: Backbone) -> int:
    """Return how many weights of 32 bits take the room of a network's: of 8 bits, a quarter."""
    base = backbone.base if isinstance(backbone, Accelerated) else backbone
    graph = base.graph if isinstance(base, GraphBackbone) else None
    return graph.stat().st_size // 4 if graph else backbone.spec.parameters


def _check_name(name: str, loaded: Sequence[Loaded]) -> None:
    """Features, members and the leaderboard know a backbone by its name alone."""
    method, _, size = name.rpartition("-")
    is_fusion = method in METHODS and size.isdigit()
    if name in _TAKEN or is_fusion or any(other.name == name for other in loaded):
        raise BackboneError(f"the name {name!r} is taken; give its spec another name")


def _time(backbone: Backbone, clips: Sequence[Clip]) -> tuple[float, float]:
    """Return mean seconds of decode and of forward over the clips, each the faster of two.

    The first run warms caches up, and the faster one is less disturbed by other work.
    """
    timed = []
    for clip in clips:
        try:
            timed.append(np.minimum(_once(backbone, clip), _once(backbone, clip)))
        except VideoError:
            continue
    decode, forward = np.mean(timed, axis=0) if timed else (0.0, 0.0)
    return float(decode), float(forward)


def _once(backbone: Backbone, clip: Clip) -> tuple[float, float]:
    """Return the seconds of decode and of forward of one clip."""
    started = time.perf_counter()
    with Readers() as readers:
        (seen,) = gather(readers, clip, [backbone.spec])
    if isinstance(seen, str):
        raise VideoError(seen)
    decoded = time.perf_counter()
    features_of(backbone, seen)
    return decoded - started, time.perf_counter() - decoded


def _reason(error: Exception) -> str:
    known = isinstance(error, BackboneError)
    return str(error) if known else f"{type(error).__name__}: {str(error)[:300]}"


def entrants(
    clips: Sequence[Clip],
    options: SelectOptions,
    progress: Progress,
    pooling: Pooling = STATISTICS,
) -> tuple[list[Loaded], list[Failure]]:
    """Return who may enter the race, and who may not and why.

    Raises
    ------
    BackboneError
        If no candidate runs.
    BudgetError
        If none that runs fits the memory, the latency, the minutes or the licence.
    """
    names = options.backbones or tuple(zoo.BACKBONES)
    probe = [clips[i] for i in np.linspace(0, len(clips) - 1, _PROBE_CLIPS).astype(int)]
    progress.start("measure candidates", len(names))
    dropped = [Failure(name, why) for name in names if (why := _unlicensed(name, options))]
    refused_names = {failure.name for failure in dropped}
    allowed = [name for name in names if name not in refused_names]
    if not allowed:
        raise BudgetError(f"no candidate may be used commercially: {dropped[0].reason}")
    loaded, failed = load_candidates(
        allowed, probe, download=options.download, progress=progress, pooling=pooling
    )
    dropped += failed
    if options.variants:
        cheaper, refused = _variants(loaded, probe, progress, pooling)
        loaded, dropped = [*loaded, *cheaper], [*dropped, *refused]
    if all(is_photo(Path(clip.path)) for clip in clips):
        loaded, refused = _without(loaded, _still)
        dropped += refused
    for refuse in _limits(options, len(clips)):
        loaded, refused = _without(loaded, refuse)
        dropped += refused
    if options.memory_bytes is not None:
        loaded, refused = within_memory(loaded, options.memory_bytes)
        dropped += refused
    return loaded, dropped


def _variants(
    loaded: Sequence[Loaded], probe: Sequence[Clip], progress: Progress, pooling: Pooling
) -> tuple[list[Loaded], list[Failure]]:
    """Return cheap forms of networks, and those that are not cheap or do not run."""
    of = {
        form: one
        for one in loaded
        if has_network(one.backbone)
        for form in cheap_forms(one.name, by_frame=_by_frame(one.backbone.spec))
    }
    progress.start("measure cheap forms", len(of))
    try:
        found, dropped = load_candidates(of, probe, progress=progress, pooling=pooling)
    except BackboneError as error:
        return [], [Failure(", ".join(of), str(error))]
    cheap = []
    for one in found:
        seconds, whole = one.cost.seconds, of[one.name].cost.seconds
        if seconds <= CHEAP * whole:
            cheap.append(one)
            continue
        took = f"{seconds * 1e3:.0f} ms a clip, and {of[one.name].name} {whole * 1e3:.0f}"
        dropped.append(Failure(one.name, f"it takes {took}: hardly cheaper"))
    return cheap, dropped


def _by_frame(spec: BackboneSpec) -> bool:
    return spec.sees == "frames" and spec.sampling.clip_len == 1


def has_network(backbone: Backbone) -> bool:
    """Return whether a backbone is a network, that `compress` and `export` can work on."""
    return isinstance(backbone, Accelerated | TorchBackbone | GraphBackbone | Detector)


def _unlicensed(name: str, options: SelectOptions) -> str:
    """Return why a candidate of the catalogue is refused before anything of it is fetched."""
    entry = catalogue.lookup(name) if options.commercial else None
    return licence_refusal(entry.licence, entry.commercial_use) if entry else ""


def costs(candidates: Sequence[Loaded]) -> dict[str, Cost]:
    """Return what a clip costs, by candidate."""
    return {candidate.name: candidate.cost for candidate in candidates}


def within_minutes(
    candidates: Sequence[Loaded], clips: int, options: SelectOptions
) -> tuple[list[Loaded], list[Failure]]:
    """Drop the dearest candidates until all that are left can run on all clips in time."""
    budget = budget_seconds(options)
    kept = sorted(candidates, key=lambda c: c.cost.seconds)
    dropped = []
    while budget and len(kept) > 1 and clips * seconds_a_clip([c.cost for c in kept]) > budget:
        dearest = kept.pop()
        reason = f"{options.minutes:g} minutes do not suffice for it beside cheaper ones"
        dropped.append(Failure(dearest.name, reason))
    return _in_order(kept, candidates), dropped


def predicted_seconds(candidates: Sequence[Loaded], clips: int, workers: int) -> float:
    """Return the wall seconds of all candidates on all clips: one decode, all forwards."""
    return clips * seconds_a_clip([c.cost for c in candidates]) / workers


def budget_seconds(options: SelectOptions) -> float | None:
    """Return the seconds of decode and inference, added over threads, that may be spent."""
    if options.minutes is None:
        return None
    return options.minutes * 60 * (options.workers or hardware().cores)


def _still(candidate: Loaded) -> str:
    """Say why a candidate is refused for photos, or nothing."""
    is_motion = candidate.backbone.spec.family == "motion"
    return "it tells how clips move, and photos do not" if is_motion else ""


def _limits(options: SelectOptions, clips: int) -> Iterator[Callable[[Loaded], str]]:
    """Yield functions that say why a candidate is refused, or nothing."""
    if options.commercial:
        yield lambda c: licence_refusal(c.backbone.spec.licence, c.backbone.spec.commercial_use)
    if options.network_only:
        yield lambda c: "" if has_network(c.backbone) else NO_NETWORK
    if (latency := options.latency_seconds) is not None:
        yield (
            lambda c: (
                f"a clip takes {c.cost.seconds * 1e3:.0f} ms on this machine, "
                f"over the latency of {latency * 1e3:.0f} ms"
                if c.cost.seconds > latency
                else ""
            )
        )
    if (budget := budget_seconds(options)) is not None:
        yield (
            lambda c: (
                f"over the budget of {options.minutes:g} minutes by itself: "
                f"{c.cost.seconds * 1e3:.0f} ms a clip for {counted(clips, 'clip')}"
                if clips * c.cost.seconds > budget
                else ""
            )
        )


def _without(
    candidates: Sequence[Loaded], refuse: Callable[[Loaded], str]
) -> tuple[list[Loaded], list[Failure]]:
    """Drop the candidates that are refused.

    Raises
    ------
    BudgetError
        If none is left; the reason of the cheapest stands for all.
    """
    reasons = {candidate.name: refuse(candidate) for candidate in candidates}
    kept = [candidate for candidate in candidates if not reasons[candidate.name]]
    if not kept:
        cheapest = min(candidates, key=lambda c: c.cost.seconds)
        raise BudgetError(
            f"no candidate is left; the cheapest, {cheapest.name}: {reasons[cheapest.name]}. "
            "Allow more, or name other candidates with --backbone"
        )
    return kept, [Failure(name, reason) for name, reason in reasons.items() if reason]


def within_memory(
    candidates: Sequence[Loaded], memory_bytes: int
) -> tuple[list[Loaded], list[Failure]]:
    """Drop the largest candidates until the process fits the memory.

    Raises
    ------
    BudgetError
        If not even the smallest fits.
    """
    base = resident_bytes() - sum(c.cost.memory_bytes for c in candidates)
    kept = sorted(candidates, key=lambda c: c.cost.memory_bytes)
    dropped = []
    while len(kept) > 1 and base + sum(c.cost.memory_bytes for c in kept) > memory_bytes:
        candidate = kept.pop()
        dropped.append(
            Failure(
                candidate.name,
                f"over the memory budget of {memory_bytes / 2**20:.0f} MiB: it takes "
                f"{candidate.cost.memory_bytes / 2**20:.0f} MiB",
            )
        )
    needed = base + kept[0].cost.memory_bytes
    if needed > memory_bytes:
        raise BudgetError(
            f"{memory_bytes / 2**20:.0f} MiB do not suffice: vidfit with the smallest candidate "
            f"({kept[0].name}) takes {needed / 2**20:.0f} MiB"
        )
    return _in_order(kept, candidates), dropped


def _in_order(kept: Sequence[Loaded], candidates: Sequence[Loaded]) -> list[Loaded]:
    names = {candidate.name for candidate in kept}
    return [candidate for candidate in candidates if candidate.name in names]
