"""Held-out scores with intervals, baselines and calibration."""

from vidfit.evaluate.leakage import THRESHOLD_BITS, merge_groups, near_duplicates
from vidfit.evaluate.score import (
    Scores,
    class_shares,
    few_recordings,
    score,
    unknown_thresholds,
)

__all__ = [
    "THRESHOLD_BITS",
    "Scores",
    "class_shares",
    "few_recordings",
    "merge_groups",
    "near_duplicates",
    "score",
    "unknown_thresholds",
]
