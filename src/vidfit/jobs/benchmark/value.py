"""What `vidfit benchmark` measured: values that jobs hand to reports.

Times are seconds, sizes bytes, unless a name says otherwise. Operations are float32
multiplications and additions, two for each multiply-accumulate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.runtime.roof import Roof


@dataclass(frozen=True, slots=True)
class BatchTiming:
    """Runs of one batch.

    Parameters
    ----------
    views
        In the batch.
    runs
        That were timed.
    median_seconds, p95_seconds
        On the clock, of one run.
    cpu_seconds
        Of the process in all threads, mean of a run.
    """

    views: int
    runs: int
    median_seconds: float
    p95_seconds: float
    cpu_seconds: float

    @property
    def views_per_second(self) -> float:
        """Return the throughput."""
        return self.views / self.median_seconds


@dataclass(frozen=True, slots=True)
class EngineRun:
    """A network on one engine with a number of threads, in a process of its own.

    Parameters
    ----------
    engine
        Key of ``vidfit.runtime.ENGINES``, or ``"own"`` for a member without a network.
    frames
        That a thread computes at once; 0 for all.
    parity
        Relative difference to torch.
    open_seconds
        From a saved network to one that runs; an export that was needed is in it.
    resident_bytes
        Of the process, after it ran.
    timings
        By rising batch; a batch that takes too long is left out.
    failure
        Why it does not run, or nothing.
    """

    engine: str
    threads: int
    frames: int = 0
    parity: float = 0.0
    open_seconds: float = 0.0
    resident_bytes: int = 0
    timings: tuple[BatchTiming, ...] = ()
    failure: str = ""

    @property
    def best(self) -> BatchTiming:
        """Return the batch of the highest throughput."""
        return max(self.timings, key=lambda timing: timing.views_per_second)


@dataclass(frozen=True, slots=True)
class BenchmarkedMember:
    """One member of a model on all engines.

    Parameters
    ----------
    chosen
        The engine that `vidfit predict` takes.
    traffic_bytes
        By views in a batch: weights and inputs that convolutions and matrix products read, and
        outputs that they write, each once. Empty where that cannot be counted.
    """

    name: str
    architecture: str
    sampling: str
    num_clips: int
    parameters: int
    gmacs_per_view: float
    chosen: str
    runs: tuple[EngineRun, ...]
    traffic_bytes: Mapping[int, int]

    def flops_per_second(self, timing: BatchTiming) -> float:
        """Return operations per second of a batch."""
        return 2e9 * self.gmacs_per_view * timing.views_per_second

    def intensity(self, timing: BatchTiming) -> float:
        """Return operations a byte of a batch; 0 where bytes are not known."""
        traffic = self.traffic_bytes.get(timing.views, 0)
        return 2e9 * self.gmacs_per_view * timing.views / traffic if traffic else 0.0


@dataclass(frozen=True, slots=True)
class ClipWay:
    """The whole way of one clip in one thread, medians: decode, each member, and the answer."""

    video: str
    repeats: int
    decode_seconds: float
    member_seconds: Mapping[str, float]
    head_seconds: float

    @property
    def seconds(self) -> float:
        """Return all of it."""
        return self.decode_seconds + sum(self.member_seconds.values()) + self.head_seconds


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All that was measured of a model.

    ``machine`` are facts for a reader; ``load`` is the system's load over a minute before and
    after.
    """

    model: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    load: tuple[float, float]
    roofs: tuple[Roof, ...]
    members: tuple[BenchmarkedMember, ...]
    clip: ClipWay | None = None

    def roof(self, threads: int) -> Roof:
        """Return what the machine can do with a number of threads."""
        return next(roof for roof in self.roofs if roof.threads == threads)

    def share_of_peak(self, member: BenchmarkedMember, run: EngineRun) -> float:
        """Return the share of the measured peak that a run's best batch reaches."""
        return member.flops_per_second(run.best) / self.roof(run.threads).flops_per_second
