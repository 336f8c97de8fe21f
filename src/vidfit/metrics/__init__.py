"""Measures of answers, with their uncertainty."""

from vidfit.metrics.agreement import error_correlation, kappa, oracle_hits
from vidfit.metrics.calibration import (
    calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)
from vidfit.metrics.class_measures import (
    ACCURACY,
    BALANCED,
    CLASS_MEASURES,
    F1,
    SEVERAL_MEASURES,
    indicators,
    is_of_decisions,
)
from vidfit.metrics.measures import LOSS, AnyMeasure, ClipMean, Measure, RankedMeasure, RankedScores
from vidfit.metrics.number_measures import MAE, NUMBER_MEASURES
from vidfit.metrics.resampled import mean_interval, ratio_interval
from vidfit.metrics.scored import Scored, averaged, score_all, score_values
from vidfit.metrics.share_interval import paired_interval, share_interval

__all__ = [
    "ACCURACY",
    "AnyMeasure",
    "BALANCED",
    "CLASS_MEASURES",
    "LOSS",
    "F1",
    "MAE",
    "NUMBER_MEASURES",
    "SEVERAL_MEASURES",
    "ClipMean",
    "Measure",
    "RankedMeasure",
    "RankedScores",
    "Scored",
    "averaged",
    "indicators",
    "is_of_decisions",
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
