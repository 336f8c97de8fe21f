"""Measures of answers, with their uncertainty."""

from vidfit.metrics.bootstrap import class_mean_interval, mean_interval
from vidfit.metrics.calibration import (
    calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)

__all__ = [
    "calibration_error",
    "class_mean_interval",
    "fit_temperature",
    "mean_interval",
    "probabilities",
    "reliability",
]
