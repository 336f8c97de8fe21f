"""What candidates are compared by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vidfit.metrics import ACCURACY, BALANCED, CLASS_MEASURES, AnyMeasure

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
