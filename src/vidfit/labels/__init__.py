"""The kinds of label that clips may have: one class, several, or a number.

The truth is class numbers [M]; whether each class is there, [M, K]; or numbers [M]. Answers are
[M, K] for all: log-probabilities of one class among K, of each class by itself, or [M, 1] numbers.

Shape letters: M clips, K classes, X strata.
"""

from vidfit.label_kinds import LABELS, NUMBER, Labels, columns, joined, labels_of, names_in
from vidfit.labels.answers import (
    UNSEEN,
    as_answers,
    fit_temperature,
    linked,
    losses,
    mean_loss,
    odds,
    stated,
)
from vidfit.labels.strata import strata_of, stratum_of
from vidfit.labels.thresholds import f1_thresholds, held_out_thresholds, shifted
from vidfit.labels.truth import classes_of, of_classes, text_of, truth_of

__all__ = [
    "LABELS",
    "NUMBER",
    "UNSEEN",
    "Labels",
    "as_answers",
    "classes_of",
    "columns",
    "f1_thresholds",
    "fit_temperature",
    "held_out_thresholds",
    "joined",
    "labels_of",
    "linked",
    "losses",
    "mean_loss",
    "names_in",
    "odds",
    "of_classes",
    "shifted",
    "stated",
    "strata_of",
    "stratum_of",
    "text_of",
    "truth_of",
]
