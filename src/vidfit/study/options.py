"""What a user may ask of every job that measures candidates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from vidfit.errors import VidfitError, not_known
from vidfit.label_kinds import LABELS, Labels

if TYPE_CHECKING:
    pass

Preference = Literal["cheapest", "best"]
Metric = Literal[
    "accuracy", "balanced", "macro-f1", "map", "auroc", "log-loss", "brier",
    "micro-f1", "mae", "r2", "spearman",
]  # fmt: skip
"""Keys of the measures of the built-in tasks."""


ClassWeights = Literal["none", "balanced"]


def check_metric(metric: str | None) -> None:
    """Refuse a metric that there is not, and name those that there are."""
    valid = get_args(Metric)
    if metric is not None and metric not in valid:
        raise VidfitError(not_known("metric", metric, valid))


@dataclass(frozen=True)
class SelectOptions:
    """What a user may ask of `select`.

    Parameters
    ----------
    backbones
        Names that `vidfit.backbones.load` takes; empty means all that are built in.
    groups
        File that maps clips to recordings.
    minutes
        Longest decoding and inference, on the clock.
    memory_bytes
        Most memory of the process; candidates that do not fit are dropped.
    latency_seconds
        Longest decoding and inference of one clip in one thread of this machine.
    commercial
        Whether candidates must have a licence that allows commercial use.
    metric
        What candidates are compared by: a key of the measures of the task.
        ``None`` takes accuracy, or balanced accuracy where one class is much more frequent than
        the others; mean average precision of several labels; the mean absolute error of a number.
    class_weights
        ``"balanced"`` answers as if every class were as frequent as the others, by probes of
        one model or of several side by side; no other fusions are tried. ``None`` does so where
        candidates are compared by balanced accuracy.
    prefer
        What to recommend: the cheapest that the clips hardly tell from the best, or the best.
    give_up
        Most points that the cheapest may lie below the best, and that a fusion must
        gain where it takes more than half as long again; of figures that are no shares, percent
        of what the baseline has.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    download
        Whether weights may be fetched over the network.
    on
        Where clips are looked at: ``"here"``, ``"spark"`` or the address of a cluster; see
        `vidfit.launch.launcher`.
    labels
        What clips are labelled with: ``"one"`` class, ``"several"``, or a ``"number"``; ``None``
        goes by how they are written (`vidfit.manifest.read_manifest`).
    task
        What is asked of the clips: a name of `vidfit.tasks`; ``None`` goes by their labels.
    consent
        What the people who are measured agreed to, where a task measures people; nothing of it
        starts without.
    variants
        Whether each network is tried in 8 bits (``NAME:int8``), on keyframes alone (``NAME@key``)
        and both, where that takes a fifth less time for a clip.
    network_only
        Whether candidates without a network, such as ``motion``, are left out: `compress` and
        `export` take only models with one.
    """

    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    minutes: float | None = None
    memory_bytes: int | None = None
    latency_seconds: float | None = None
    commercial: bool = False
    metric: str | None = None
    class_weights: ClassWeights | None = None
    prefer: Preference = "cheapest"
    give_up: float = 2.0
    workers: int | None = None
    download: bool = False
    on: str = "here"
    labels: Labels | None = None
    task: str | None = None
    network_only: bool = False
    variants: bool = False
    consent: str | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.labels is not None and self.labels not in LABELS:
            raise VidfitError(f"labels is {self.labels!r}; valid are {', '.join(LABELS)}")
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
        if self.prefer not in ("cheapest", "best"):
            raise VidfitError(f"prefer is {self.prefer!r}; valid are 'cheapest' and 'best'")
        if not 0 <= self.give_up <= 100:
            raise VidfitError(f"give_up is {self.give_up}; it is points in [0, 100]")
        if self.task is None:  # else the task knows its measures
            check_metric(self.metric)
        if self.class_weights not in (None, *get_args(ClassWeights)):
            raise VidfitError(
                f"class_weights is {self.class_weights!r}; valid are 'none' and 'balanced'"
            )
