"""Measures of answers, with their uncertainty."""

from vidfit.metrics.agreement import error_correlation, kappa, oracle_hits
from vidfit.metrics.bootstrap import mean_interval, ratio_interval
from vidfit.metrics.calibration import (
    calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)
from vidfit.metrics.class_measures import ACCURACY, BALANCED, CLASS_MEASURES, F1, LOG_LOSS
from vidfit.metrics.measures import AnyMeasure, ClipMean, Measure, RankedMeasure, Rows
from vidfit.metrics.scored import Scored, averaged, score_all, score_values
from vidfit.metrics.share import paired_interval, share_interval

__all__ = [
    "ACCURACY",
    "AnyMeasure",
    "BALANCED",
    "CLASS_MEASURES",
    "F1",
    "LOG_LOSS",
    "ClipMean",
    "Measure",
    "RankedMeasure",
    "Rows",
    "Scored",
    "averaged",
    "calibration_error",
    "error_correlation",
    "fit_temperature",
    "kappa",
    "mean_interval",
    "oracle_hits",
    "paired_interval",
    "probabilities",
    "ratio_interval",
    "reliability",
    "score_all",
    "score_values",
    "share_interval",
]
