"""What a user may ask of `select` and of `fit`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from vidfit.errors import VidfitError
from vidfit.jobs.compress.value import Target
from vidfit.kinds import LABELS, Labels
from vidfit.plans import Regime

if TYPE_CHECKING:
    from vidfit.selection import Rule

Preference = Literal["cheapest", "best"]
Metric = Literal[
    "accuracy", "balanced", "macro-f1", "map", "auroc", "log-loss", "brier",
    "micro-f1", "mae", "r2", "spearman",
]  # fmt: skip
"""Keys of `vidfit.metrics.MEASURES`, whatever the kind of label."""


ClassWeights = Literal["none", "balanced"]


def check_metric(metric: str | None) -> None:
    """Refuse a metric that there is not, and name those that there are."""
    valid = get_args(Metric)
    if metric is not None and metric not in valid:
        near = get_close_matches(metric, valid, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise VidfitError(f"{metric!r} is no metric{hint} Valid are {', '.join(valid)}")


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
        What candidates are compared by: a key of `vidfit.metrics.MEASURES` of the kind of label.
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
        gain where it takes more than half as long again.
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
    """

    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    minutes: float | None = None
    memory_bytes: int | None = None
    latency_seconds: float | None = None
    commercial: bool = False
    metric: Metric | None = None
    class_weights: ClassWeights | None = None
    prefer: Preference = "cheapest"
    give_up: float = 2.0
    workers: int | None = None
    download: bool = False
    on: str = "here"
    labels: Labels | None = None

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
        check_metric(self.metric)
        if self.class_weights not in (None, *get_args(ClassWeights)):
            raise VidfitError(
                f"class_weights is {self.class_weights!r}; valid are 'none' and 'balanced'"
            )

    @property
    def rule(self) -> Rule:
        """How the recommended candidate is found."""
        from vidfit.selection import Rule

        return Rule(self.prefer == "cheapest", self.give_up / 100)


@dataclass(frozen=True)
class FitOptions(SelectOptions):
    """What a user may ask of `fit`: what may be asked of `select`, and four things more.

    Parameters
    ----------
    holdout
        Share of the recordings, in [0, 1), put aside as test set; 0 scores by nested
        cross-validation instead.
    merge_duplicates
        Whether recordings with clips that look the same count as one; otherwise such clips
        are only reported.
    keep_untested
        Whether the model learns classes that too few recordings hold to be tested, too.
    train
        Whether to train a network over the best candidate as well, and keep it if it is proven
        better; ``None`` does so where ``minutes`` are given and some are left.
    """

    holdout: float = 0.0
    merge_duplicates: bool = False
    keep_untested: bool = False
    train: bool | None = None

    @property
    def trains(self) -> bool:
        """Whether a network is trained, unless time runs out."""
        return self.minutes is not None if self.train is None else self.train

    def check(self) -> None:
        """Refuse what has no meaning."""
        super().check()
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")


@dataclass(frozen=True)
class FuseOptions(SelectOptions):
    """What a user may ask of `fuse`: what may be asked of `select`, and three things more.

    Parameters
    ----------
    methods
        Ways to combine, of `vidfit.fusion.METHODS`; empty means all of them.
    student
        Whether to distil the best fusion into one backbone with one head.
    keep_untested
        Whether the model learns classes that too few recordings hold to be tested, too.
    """

    methods: tuple[str, ...] = ()
    student: bool = False
    keep_untested: bool = False

    def check(self) -> None:
        """Refuse what has no meaning."""
        from vidfit.fusion import METHODS

        super().check()
        for method in self.methods:
            if method not in METHODS:
                near = get_close_matches(method, METHODS, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise VidfitError(
                    f"{method!r} is no way to combine models{hint} Valid are {', '.join(METHODS)}"
                )


@dataclass(frozen=True)
class LabelOptions:
    """What a user may ask of `label`.

    Parameters
    ----------
    count
        Clips to propose.
    answers
        List of proposed clips whose labels a person has filled in, as `label` wrote it.
    backbones
        Names that `vidfit.backbones.load` takes; what all of them see counts alike. Empty means
        ``motion`` and ``efficientnet-lite0``: cheap, and one sees motion, the other looks.
    groups
        File that maps clips to recordings.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    download
        Whether weights may be fetched over the network.
    seed
        The same seed proposes the same clips.
    on
        Where clips are looked at: ``"here"``, ``"spark"`` or the address of a cluster; see
        `vidfit.launch.launcher`.
    """

    count: int = 10
    answers: Path | None = None
    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    workers: int | None = None
    download: bool = False
    seed: int = 0
    on: str = "here"

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.count < 1:
            raise VidfitError(f"count is {self.count}; give the clips to propose, 1 or more")
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")


@dataclass(frozen=True)
class PlanOptions:
    """What a user may ask of `plan`; ``None`` leaves it to the plan.

    Parameters
    ----------
    backbone
        As `vidfit.backbones.load` takes it; left away for a network that sees frames itself.
    network
        Key of ``vidfit.networks.NETWORKS``.
    regime
        Which weights learn; by the labels of the rarest class when not given.
    gpu
        A machine of graphics processors, such as ``"24GiB x 4"`` or ``"H100 x 8"``; this
        machine when not given.
    memory_bytes
        That training may use on this machine.
    cores
        That it may use.
    epochs, batch
        Passes over the clips; clips of a step.
    minutes
        Longest training: epochs are cut to fit it, and then the regime.
    groups
        File that maps clips to recordings.
    """

    backbone: str = "efficientnet-lite0"
    network: str = "lstm"
    regime: Regime | None = None
    gpu: str | None = None
    memory_bytes: int | None = None
    cores: int | None = None
    epochs: int | None = None
    batch: int | None = None
    minutes: float | None = None
    groups: Path | None = None

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        for name in ("memory_bytes", "cores", "epochs", "batch", "minutes"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise VidfitError(f"{name} is {value}; give more than 0, or None to leave it open")
        if self.regime is not None and self.regime not in get_args(Regime):
            raise VidfitError(
                f"regime is {self.regime!r}; valid are {', '.join(map(repr, get_args(Regime)))}"
            )
        if self.gpu and self.memory_bytes:
            raise VidfitError("gpu says its own memory; leave memory_bytes away")


@dataclass(frozen=True)
class TrainOptions:
    """What a user may ask of `train`.

    Parameters
    ----------
    plan
        A ``plan.json``; ``None`` plans first, as ``planning`` says.
    groups
        File that maps clips to recordings.
    holdout
        Share of the recordings, in [0, 1), put aside to test on, unless the data has a test
        split of its own; 0 tests on none.
    workers
        Threads that decode; ``None`` means one for each usable core.
    tensorboard
        Whether to write event files, too (needs the extra ``log``).
    on
        Where clips are looked at and processes train: ``"here"``, ``"spark"`` or the address of
        a cluster; see `vidfit.launch.launcher`.
    planning
        How to plan where no plan is given.
    own
        ``FILE.py:NAME`` of an encoder of one's own that the plan names: a plan alone never
        chooses code.
    """

    plan: Path | None = None
    groups: Path | None = None
    holdout: float = 0.2
    workers: int | None = None
    tensorboard: bool = False
    on: str = "here"
    planning: PlanOptions = PlanOptions()
    own: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what has no meaning."""
        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")


@dataclass(frozen=True)
class CompressOptions:
    """What a user may ask of `compress`.

    Parameters
    ----------
    max_loss
        Most points of accuracy that may be lost. Kept is what is proven to lose at most half of
        them in the calibrated probability of the true class.
    target
        What is to become small.
    techniques
        Keys of ``vidfit.jobs.compress.techniques.TECHNIQUES``; empty means all that suit the networks.
    distil_steps
        Updates by which the original teaches each pruned network; with 0 those
        techniques are left out.
    groups
        File that maps clips to recordings.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    unlabelled
        Folder or list of clips on which answers are compared with the original's, beside those
        without a label among the clips themselves; labels are not looked at.
    """

    max_loss: float = 0.5
    target: Target = "latency"
    techniques: tuple[str, ...] = ()
    distil_steps: int = 200
    groups: Path | None = None
    workers: int | None = None
    unlabelled: str | Path | None = None

    def check(self) -> None:
        """Refuse what has no meaning."""
        from vidfit.jobs.compress.techniques import TECHNIQUES

        if self.workers is not None and self.workers < 1:
            raise VidfitError(f"workers is {self.workers}; give 1 or more, or None for all cores")
        if not 0 <= self.max_loss < 100:
            raise VidfitError(f"max_loss is {self.max_loss}; it is points of accuracy in [0, 100)")
        if self.distil_steps < 0:
            raise VidfitError(f"distil_steps is {self.distil_steps}; give 0 or more")
        if self.target not in get_args(Target):
            raise VidfitError(f"target is {self.target!r}; valid are {', '.join(get_args(Target))}")
        for name in self.techniques:
            if name not in TECHNIQUES:
                near = get_close_matches(name, TECHNIQUES, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise VidfitError(
                    f"{name!r} is no technique{hint} Valid are {', '.join(TECHNIQUES)}"
                )
