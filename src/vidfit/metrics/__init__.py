"""Measures of answers, with their uncertainty."""

from vidfit.metrics.agreement import error_correlation, kappa, oracle_hits
from vidfit.metrics.bootstrap import class_mean_interval, mean_interval, ratio_interval
from vidfit.metrics.calibration import (
    calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)

__all__ = [
    "calibration_error",
    "class_mean_interval",
    "error_correlation",
    "fit_temperature",
    "kappa",
    "mean_interval",
    "oracle_hits",
    "probabilities",
    "ratio_interval",
    "reliability",
]
