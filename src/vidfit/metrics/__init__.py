"""Measures of answers, with their uncertainty."""

from vidfit.metrics.agreement import error_correlation, kappa, oracle_hits
from vidfit.metrics.bootstrap import mean_interval, ratio_interval
from vidfit.metrics.calibration import (
    calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)
from vidfit.metrics.share import class_mean_interval, paired_interval, share_interval

__all__ = [
    "calibration_error",
    "class_mean_interval",
    "error_correlation",
    "fit_temperature",
    "kappa",
    "mean_interval",
    "oracle_hits",
    "paired_interval",
    "probabilities",
    "ratio_interval",
    "reliability",
    "share_interval",
]
