"""Transferability scores: how well frozen features fit labels, one file a score.

Pure functions of arrays; a higher score is better, and scores compare candidates on the same
clips only. None is best everywhere (Agostinelli 2022, How stable are transferability metrics
evaluations?), so that they stand beside a probe and never decide alone.
"""

from vidfit.selection.scores.knn import knn
from vidfit.selection.scores.logme import logme
from vidfit.selection.scores.parc import parc

__all__ = ["knn", "logme", "parc"]
