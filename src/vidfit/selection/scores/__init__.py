"""Transferability scores: how well frozen features fit labels, one file a score.

Pure functions of arrays; a higher score is better, and scores compare candidates on the same
clips only. None is best everywhere (Agostinelli 2022, How stable are transferability metrics
evaluations?), so that they stand beside a probe and never decide alone.
"""

from collections.abc import Callable

from numpy.typing import ArrayLike

from vidfit.selection.scores.gbc import gbc
from vidfit.selection.scores.hscore import h_score
from vidfit.selection.scores.knn import knn
from vidfit.selection.scores.leep import leep
from vidfit.selection.scores.linear import linear_probe
from vidfit.selection.scores.logme import logme
from vidfit.selection.scores.nce import nce
from vidfit.selection.scores.nleep import nleep
from vidfit.selection.scores.parc import parc
from vidfit.selection.scores.transrate import transrate

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
