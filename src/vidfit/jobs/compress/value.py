"""How small and how fast a model can be: values that `compress` hands to a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # commands name targets, and must answer --help without numpy
    from vidfit.contracts import Estimate, Failure
    from vidfit.reported import Stage

Target = Literal["latency", "size", "memory"]
"""What is to become small: seconds of a clip, bytes on disk, bytes in memory."""

Verdict = Literal["kept", "within", "open", "worse", "no gain", "failed"]
"""Of an artefact: chosen; proven within the tolerance; not proven; proven worse than that;
not smaller or faster than the original, so that its answers were not measured; not made."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a model's networks take.

    Parameters
    ----------
    engine
        What runs them; empty where none has a network.
    latency_seconds
        Of all networks on one clip, in one thread, without decoding: the original's median,
        over the ratio.
    latency_ratio
        The original's latency over this one, the median of rounds that are paired in time:
        above 1 is faster.
    size_bytes
        Of their files.
    memory_bytes
        What a process that opens them and answers a clip holds more than before, at its peak.
    """

    engine: str
    latency_seconds: float
    latency_ratio: float
    size_bytes: int
    memory_bytes: int

    def of(self, target: Target) -> float:
        """Return what is to become small."""
        return {
            "latency": 1.0 / self.latency_ratio,
            "size": float(self.size_bytes),
            "memory": float(self.memory_bytes),
        }[target]


@dataclass(frozen=True, slots=True)
class Certificate:
    """That an artefact answers as the original does, by windows without a label.

    Parameters
    ----------
    windows, recordings
        How many were answered by both, and of how many recordings.
    independent
        How many independent windows they count for: those of one recording move alike.
    changed
        Share of windows with another answer, in [0, 1].
    most_changed
        The share that may change on other footage of this kind, in [0, 1]: the one-sided bound
        at 97.5 % (Clopper and Pearson). Accuracy cannot fall by more.
    """

    windows: int
    recordings: int
    independent: float
    changed: float
    most_changed: float


@dataclass(frozen=True, slots=True)
class Artefact:
    """One way to compress the model, with all that was measured of it.

    Parameters
    ----------
    name
        Of the technique, a key of ``vidfit.jobs.compress.techniques.TECHNIQUES``.
    details
        What was done, in words.
    footprint
        ``None`` when it could not be made.
    similarity
        Mean cosine of its tokens and the original's, on frames of the calibration clips that no
        technique was shown; ``nan`` when it could not be made.
    accuracy
        Top-1 on clips that neither it nor its head has seen, in [0, 1].
    loss
        The original's accuracy minus this one, paired over recordings; ``None`` when answers
        were not measured. The interval reaches at least as far as answers may change on other
        clips, though none changed on these.
    probability_loss
        The same of the calibrated probability of the true class, by which is decided.
    enough
        The least tolerance under which it would be kept, in [0, 1]; ``nan`` when answers were
        not measured.
    changed
        Share of those clips to which it answers otherwise than the original; ``nan`` when answers
        were not measured.
    reason
        Why the verdict, in words.
    certificate
        How far its answers are the original's on windows without a label; ``None`` where there
        are none, or answers were not measured. It decides nothing.
    """

    name: str
    details: tuple[str, ...]
    footprint: Footprint | None
    similarity: float
    accuracy: Estimate | None
    loss: Estimate | None
    probability_loss: Estimate | None
    enough: float
    changed: float
    verdict: Verdict
    reason: str
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Compression:
    """Whether a model can be had smaller or faster, and at what loss.

    Parameters
    ----------
    chosen
        Name of the artefact in the model directory; empty when none is proven good enough.
    tolerance
        Most accuracy that may be lost, in [0, 1].
    networks
        Names of the members that were compressed; those without a network stay as they are.
    judged, calibrated
        Clips whose answers were compared, and clips of other recordings whose frames set
        ranges and taught pruned networks.
    protocol
        How clips were held out, in words.
    """

    model: str
    data: str
    target: Target
    tolerance: float
    chosen: str
    verdict: str
    networks: tuple[str, ...]
    original: Artefact
    artefacts: tuple[Artefact, ...]
    judged: int
    judged_groups: int
    calibrated: int
    protocol: str
    failures: tuple[Failure, ...]
    stages: tuple[Stage, ...]
    machine: dict[str, str]
    warnings: tuple[str, ...] = ()
