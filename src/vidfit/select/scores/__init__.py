"""Transferability scores: how well frozen features fit labels, one file a score.

Pure functions of arrays; a higher score is better, and scores compare candidates on the same
clips only. None is best everywhere (Agostinelli 2022, How stable are transferability metrics
evaluations?), so that they stand beside a probe and never decide alone.
"""

from collections.abc import Callable

from numpy.typing import ArrayLike

from vidfit.select.scores.gbc import gbc
from vidfit.select.scores.hscore import h_score
from vidfit.select.scores.knn import knn
from vidfit.select.scores.leep import leep
from vidfit.select.scores.linear import linear_probe
from vidfit.select.scores.logme import logme
from vidfit.select.scores.nce import nce
from vidfit.select.scores.nleep import nleep
from vidfit.select.scores.parc import parc
from vidfit.select.scores.transrate import transrate

SCORES: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "nleep": nleep,
    "logme": logme,
    "h_score": h_score,
    "gbc": gbc,
    "transrate": transrate,
    "parc": parc,
}
"""Scores of features [M, D] and labels [M]."""

PROBES: dict[str, Callable[[ArrayLike, ArrayLike, ArrayLike], float]] = {
    "knn": knn,
    "linear_probe": linear_probe,
}
"""Accuracies from features [M, D], labels [M] and the fold of each clip [M]."""

__all__ = [
    "PROBES",
    "SCORES",
    "gbc",
    "h_score",
    "knn",
    "leep",
    "linear_probe",
    "logme",
    "nce",
    "nleep",
    "parc",
    "transrate",
]
