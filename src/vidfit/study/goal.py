"""What candidates are compared by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.contracts import Clip
from vidfit.errors import VidfitError
from vidfit.labels import Kind
from vidfit.metrics import ACCURACY, BALANCED, AnyMeasure, RankedMeasure
from vidfit.selection import Rule
from vidfit.tasks import Task

if TYPE_CHECKING:
    from vidfit.study.options import SelectOptions

UNEVEN = 1.5
"""Classes are uneven where the most frequent one has more than that many times an even share."""


def measure_of(
    metric: str | None, clips: Sequence[Clip], task: Task, notes: list[str]
) -> AnyMeasure:
    """Return the measure that was asked for, or the one that suits the labels; note why.

    Where one class is much more frequent than the others, always answering it has a high
    accuracy; of balanced accuracy it has no more than chance. Several labels are compared by mean
    average precision, numbers by the mean absolute error.

    Parameters
    ----------
    metric
        A key of the measures of the task; ``None`` leaves it open.
    clips
        Labelled clips.

    Raises
    ------
    VidfitError
        If the metric does not fit the task.
    """
    if metric is not None:
        check_fits(metric, task)
        return task.measures[metric]
    if task.measure is not ACCURACY:
        return task.measure
    counts = Counter(str(clip.label) for clip in clips)
    (name, most), total = counts.most_common(1)[0], len(clips)
    if most * len(counts) <= UNEVEN * total:
        return ACCURACY
    notes.append(
        f"Classes are uneven: {name!r} has {most / total:.0%} of the clips. Candidates are "
        "compared by balanced accuracy, the mean of the shares of right answers of each class; "
        "--metric accuracy compares by the share of right answers."
    )
    return BALANCED


@dataclass(frozen=True)
class Goal:
    """What candidates are compared by, and how one is chosen.

    Parameters
    ----------
    measure
        What decides.
    even
        Whether they answer as if classes were even.
    rule
        Which is recommended.
    """

    measure: AnyMeasure
    even: bool
    rule: Rule


def goal_of(options: SelectOptions, clips: Sequence[Clip], task: Task, notes: list[str]) -> Goal:
    """Return what was asked for, or what suits the classes; note why.

    A probe that learned uneven shares hardly ever answers a rare class, so that by balanced
    accuracy a sound candidate looks like noise (``benchmarks.rare_class``). There answers are
    those of even classes, unless told otherwise.
    """
    measure = measure_of(options.metric, clips, task, notes)
    whole = _whole(measure, clips, task.kind)
    rule = Rule(options.prefer == "cheapest", options.give_up / 100, whole)
    if not task.kind.exclusive and options.class_weights is not None:
        raise VidfitError("--class-weights is for clips with one class each; leave it away")
    if options.class_weights is not None:
        return Goal(measure, options.class_weights == "balanced", rule)
    if measure is not BALANCED:
        return Goal(measure, even=False, rule=rule)
    notes.append(
        "Answers are those of classes that are equally frequent, and so are their probabilities; "
        "--class-weights none leaves them as learned, and tries more fusions."
    )
    return Goal(measure, even=True, rule=rule)


def _whole(measure: AnyMeasure, clips: Sequence[Clip], kind: Kind) -> float:
    """Return what 100 points are: 1, or what the baseline has of a figure that is no share."""
    if isinstance(measure, RankedMeasure) or measure.kind != "unbounded":
        return 1.0
    classes = kind.classes(clips)
    truth = kind.truth(clips, classes)
    constant_MK = kind.constant(truth, kind.width(classes), len(clips), measure.name)
    figure = float(measure.figure(measure.sums(truth, constant_MK)[None])[0])
    return figure if figure > 0 else 1.0


def check_fits(metric: str | None, task: Task) -> None:
    """Refuse a metric that does not fit the task, before any work.

    Raises
    ------
    VidfitError
        Names the metrics that do.
    """
    if metric is not None and metric not in task.measures:
        raise VidfitError(
            f"--metric {metric} does not fit clips with {task.kind.what} each; valid are "
            f"{', '.join(task.measures)}"
        )
