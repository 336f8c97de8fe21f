"""Load the candidates, measure what each costs on the user's own clips, keep what fits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Clip, Failure, Progress
from vidfit.errors import BackboneError, BudgetError, VideoError
from vidfit.features.extract import gather_views
from vidfit.features.fingerprint import NAME as FINGERPRINT
from vidfit.hardware import resident_bytes
from vidfit.runtime import accelerate
from vidfit.video import VideoReader

_TAKEN = frozenset({"concat", "stack", "majority class", FINGERPRINT})


@dataclass(frozen=True)
class Cost:
    """Measured seconds of one clip on one thread, and bytes that loading took."""

    decode_seconds: float
    forward_seconds: float
    memory_bytes: int

    @property
    def seconds(self) -> float:
        """Decode and forward."""
        return self.decode_seconds + self.forward_seconds


@dataclass(frozen=True)
class Loaded:
    """A candidate that runs here, and what it costs."""

    backbone: Backbone
    cost: Cost

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
    progress: Progress | None = None,
) -> tuple[list[Loaded], list[Failure]]:
    """Load, compile and time each candidate; one that cannot run is dropped with its reason.

    Parameters
    ----------
    clips
        A few clips to measure on; those that cannot be read are passed over.

    Raises
    ------
    BackboneError
        If no candidate runs.
    """
    loaded: list[Loaded] = []
    dropped: list[Failure] = []
    for name in names:
        if progress:
            progress.advance()
        before = resident_bytes()
        try:
            backbone = accelerate(zoo.load(name, download=download), cache=cache)
            _check_name(backbone.spec.name, loaded)
            decode, forward = _time(backbone, clips)
        except Exception as error:  # a candidate's own code: whatever it raises drops it alone
            dropped.append(Failure(name, _reason(error)))
            continue
        loaded.append(Loaded(backbone, Cost(decode, forward, max(0, resident_bytes() - before))))
    if not loaded:
        reasons = "; ".join(f"{failure.name}: {failure.reason}" for failure in dropped)
        raise BackboneError(f"no candidate runs here ({reasons})")
    return loaded, dropped


def _check_name(name: str, loaded: Sequence[Loaded]) -> None:
    """Features, members and the leaderboard know a backbone by its name alone."""
    if name in _TAKEN or any(other.name == name for other in loaded):
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
    with VideoReader(clip.path) as reader:
        ((_, frames_VTHWC),) = gather_views(reader, clip, [backbone.spec])
    decoded = time.perf_counter()
    backbone.forward(frames_VTHWC)
    return decoded - started, time.perf_counter() - decoded


def _reason(error: Exception) -> str:
    known = isinstance(error, BackboneError)
    return str(error) if known else f"{type(error).__name__}: {str(error)[:300]}"


def predicted_seconds(candidates: Sequence[Loaded], clips: int, workers: int) -> float:
    """Return the seconds that extraction will take: one decode, all forwards, all workers."""
    if not candidates:
        return 0.0
    decode = max(c.cost.decode_seconds for c in candidates)
    return clips * (decode + sum(c.cost.forward_seconds for c in candidates)) / workers


def within_minutes(
    candidates: Sequence[Loaded], clips: int, workers: int, minutes: float
) -> tuple[list[Loaded], list[Failure]]:
    """Drop the dearest candidates until the predicted extraction fits the minutes.

    Raises
    ------
    BudgetError
        If not even the cheapest fits.
    """
    kept = sorted(candidates, key=lambda c: c.cost.seconds)
    dropped = []
    while len(kept) > 1 and predicted_seconds(kept, clips, workers) > minutes * 60:
        candidate = kept.pop()
        dropped.append(
            Failure(
                candidate.name,
                f"over the budget of {minutes:g} minutes: {candidate.cost.seconds * 1e3:.0f} ms "
                f"a clip for {clips} clips",
            )
        )
    needed = predicted_seconds(kept, clips, workers) / 60
    if needed > minutes:
        raise BudgetError(
            f"{minutes:g} minutes do not suffice for {clips} clips: the cheapest candidate "
            f"({kept[0].name}) needs {_short(needed)}; give --minutes {_short(needed * 1.2)} "
            "or fewer clips"
        )
    return _in_order(kept, candidates), dropped


def _short(minutes: float) -> str:
    return f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2g}"


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
