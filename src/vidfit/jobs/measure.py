"""What candidates are compared by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidfit.metrics import ACCURACY, BALANCED, CLASS_MEASURES, AnyMeasure

if TYPE_CHECKING:
    from vidfit.jobs.options import SelectOptions

UNEVEN = 1.5
"""Classes are uneven where the most frequent one has more than that many times an even share."""


def measure_of(metric: str | None, labels: Sequence[str], notes: list[str]) -> AnyMeasure:
    """Return the measure that was asked for, or the one that suits the classes; note why.

    Where one class is much more frequent than the others, always answering it has a high
    accuracy; of balanced accuracy it has no more than chance.

    Parameters
    ----------
    metric
        A key of `vidfit.metrics.CLASS_MEASURES`; ``None`` takes accuracy, or balanced accuracy
        where classes are uneven.
    labels
        The class of each clip.
    """
    if metric is not None:
        return CLASS_MEASURES[metric]
    counts = Counter(labels)
    (name, most), total = counts.most_common(1)[0], len(labels)
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
    """What candidates are compared by, and whether they answer as if classes were even."""

    measure: AnyMeasure
    even: bool


def goal_of(options: SelectOptions, labels: Sequence[str], notes: list[str]) -> Goal:
    """Return what was asked for, or what suits the classes; note why.

    A probe that learned uneven shares hardly ever answers a rare class, so that by balanced
    accuracy a sound candidate looks like noise (``benchmarks.rare_class``). There answers are
    those of even classes, unless told otherwise.
    """
    measure = measure_of(options.metric, labels, notes)
    if options.class_weights is not None:
        return Goal(measure, options.class_weights == "balanced")
    if measure is not BALANCED:
        return Goal(measure, even=False)
    notes.append(
        "Answers are those of classes that are equally frequent, and so are their probabilities; "
        "--class-weights none leaves them as learned, and tries more fusions."
    )
    return Goal(measure, even=True)
