"""Scores of how new a clip is, each from fits on other recordings; higher is newer.

``probability`` is one minus the largest probability (Hendrycks and Gimpel 2017), ``distance`` the
mean squared standard score of the features: the two that vidfit declines by. The others are held
against them: ``energy`` (Liu et al. 2020), ``max-logit`` (Hendrycks et al. 2022), ``mahalanobis``
to the nearest class under one covariance, shrunk as Ledoit and Wolf (2004) do, ``relative`` less
the distance to all clips (Ren et al. 2021), ``neighbours``, the fifth by cosine (Sun et al. 2022).

Shape letters: M clips to learn from, Q clips that are asked, R coordinates, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import PENALTIES, log_softmax, out_of_fold, parts_of
from vidfit.fusion.regression import TO_KEEP, regression
from vidfit.fusion.span import Span, inverse_scale

PROBABILITY, DISTANCE = "probability", "distance"
_NEIGHBOUR = 5

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Clips of a task as one encoder sees them, ready to be scored.

    The axes of the features know no label; the penalty is the one that all classes choose.
    """

    vectors_MD: Floats
    labels_M: Indices
    span: Span
    penalty: float

    @classmethod
    def of(cls, vectors_MD: Floats, labels_M: Indices, folds_M: Indices) -> Scored:
        span = Span.of([vectors_MD])
        best, _ = out_of_fold(parts_of(span, labels_M, folds_M), labels_M)
        return cls(vectors_MD, labels_M, span, PENALTIES[best])

    def scores(self, learn_M: NDArray[np.bool_], asked_QD: Floats) -> dict[str, Doubles]:
        """Return how new clips are to fits on some of the clips, by score."""
        x_MR, labels_M = self.span.coordinates_MR[learn_M], self.labels_M[learn_M]
        labels_M = np.unique(labels_M, return_inverse=True)[1]
        x_QR = self.span.project([asked_QD])
        weight_KR, bias_K = regression(x_MR, labels_M, self.penalty, TO_KEEP)
        logits_QK = (x_QR @ weight_KR.T + bias_K).astype(float)
        return {
            PROBABILITY: 1.0 - np.exp(log_softmax(logits_QK).max(axis=1).astype(float)),
            DISTANCE: _distance(self.vectors_MD[learn_M], asked_QD),
            "energy": -logsumexp(logits_QK, axis=1),
            "max-logit": -logits_QK.max(axis=1),
            **_mahalanobis(x_MR.astype(float), labels_M, x_QR.astype(float)),
            "neighbours": _neighbours(x_MR, x_QR),
        }


def _distance(learned_MD: Floats, asked_QD: Floats) -> Doubles:
    standard_QD = (asked_QD - learned_MD.mean(axis=0)) * inverse_scale(learned_MD)
    return np.asarray((standard_QD.astype(float) ** 2).sum(axis=1))


def _mahalanobis(x_MR: Doubles, labels_M: Indices, x_QR: Doubles) -> dict[str, Doubles]:
    from sklearn.covariance import LedoitWolf

    means_KR = np.stack([x_MR[labels_M == k].mean(axis=0) for k in range(labels_M.max() + 1)])
    within = LedoitWolf(assume_centered=True).fit(x_MR - means_KR[labels_M])
    among = LedoitWolf().fit(x_MR)
    nearest_Q = np.min([within.mahalanobis(x_QR - mean_R) for mean_R in means_KR], axis=0)
    return {"mahalanobis": nearest_Q, "relative": nearest_Q - among.mahalanobis(x_QR)}


def _neighbours(x_MR: Floats, x_QR: Floats) -> Doubles:
    unit_MR = x_MR / np.linalg.norm(x_MR, axis=1, keepdims=True)
    unit_QR = x_QR / np.linalg.norm(x_QR, axis=1, keepdims=True)
    cosine_QM = np.sort(unit_QR @ unit_MR.T, axis=1)
    return np.asarray(-cosine_QM[:, -min(_NEIGHBOUR, len(x_MR))], np.float64)
