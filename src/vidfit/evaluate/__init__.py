"""Held-out scores with intervals, baselines and calibration; when a model declines."""

from vidfit.evaluate.by_class import precision_recall, score_classes
from vidfit.evaluate.leakage import THRESHOLD_BITS, merge_groups, near_duplicates
from vidfit.evaluate.left_out import LEAST_CLASSES, LeftOut, leave_classes_out, spread
from vidfit.evaluate.score import Scores, few_recordings, score
from vidfit.evaluate.unknown import (
    STRICT,
    USUAL,
    HeldOut,
    Shares,
    Thresholds,
    auroc,
)

__all__ = [
    "LEAST_CLASSES",
    "STRICT",
    "THRESHOLD_BITS",
    "USUAL",
    "HeldOut",
    "LeftOut",
    "Scores",
    "Shares",
    "Thresholds",
    "auroc",
    "few_recordings",
    "leave_classes_out",
    "merge_groups",
    "near_duplicates",
    "precision_recall",
    "score",
    "score_classes",
    "spread",
]
