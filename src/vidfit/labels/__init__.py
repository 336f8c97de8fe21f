"""The kinds of label that clips may have: one class, several, or a number.

The truth is class numbers [M]; whether each class is there, [M, K]; or numbers [M]. Answers are
[M, K] for all: log-probabilities of one class among K, of each class by itself, or [M, 1] numbers.

Shape letters: M clips, K classes, X strata.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.label_kinds import LABELS, Labels, joined, names_in
from vidfit.labels.kind import UNSEEN, Kind, Said
from vidfit.labels.number import NUMBER, Number
from vidfit.labels.one import OneClass, class_shares
from vidfit.labels.several import SeveralClasses
from vidfit.labels.thresholds import f1_thresholds, held_out_thresholds, odds, shifted

ONE: Kind = OneClass()
SEVERAL: Kind = SeveralClasses()
A_NUMBER: Kind = Number()

KINDS: dict[str, Kind] = {kind.name: kind for kind in (ONE, SEVERAL, A_NUMBER)}
"""By name."""


def mean_loss(answers_MK: NDArray[np.floating], truth: Any, kind: Kind = ONE) -> float:  # noqa: ANN401
    """Return the mean of what the answers lose."""
    return float(kind.losses(answers_MK, truth).mean())


__all__ = [
    "A_NUMBER",
    "KINDS",
    "LABELS",
    "NUMBER",
    "ONE",
    "SEVERAL",
    "UNSEEN",
    "Kind",
    "Labels",
    "Said",
    "class_shares",
    "f1_thresholds",
    "held_out_thresholds",
    "joined",
    "mean_loss",
    "names_in",
    "odds",
    "shifted",
]
