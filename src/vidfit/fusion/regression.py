"""Multinomial logistic regression on labels or on soft targets: one convex loss.

The loss of a clip with logits z and targets t_T at temperatures T is
``sum_T sum_k -t_Tk log softmax(z / T)_k``, plus an L2 penalty of the weights: a log-sum-exp of
linear functions less a linear one, so that there is one minimum whatever the start. With one-hot
targets at temperature 1 it is the usual multinomial logistic regression.

L-BFGS (Liu and Nocedal 1989) runs on weights in units of their own curvature, and from the
weights of the last, stronger penalty.

Shape letters: M clips, K classes, R inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices

Doubles = NDArray[np.float64]

NEVER = -1e4
"""The bias of a class without a clip: it is never answered."""

TO_CHOOSE, TO_KEEP = 1e-2, 1e-4
"""Gradient tolerances in those units: choosing a penalty needs fewer digits than what is kept."""

_LEAST_SHARE = 1e-6


def regressions(
    x_MR: Doubles, labels_M: Indices, penalties: Sequence[float], tolerance: float
) -> Iterator[tuple[Doubles, Doubles]]:
    """Yield weights [K, R] and biases [K] for ascending penalties, each from the last.

    Parameters
    ----------
    labels_M
        Class numbers; K is one more than the highest, and classes without a clip get no
        probability.
    penalties
        Inverse strengths of the L2 penalty (scikit-learn's ``C``).
    """
    present, number_M = np.unique(labels_M, return_inverse=True)
    targets = {1.0: np.eye(len(present))[number_M]}
    classes = int(present[-1]) + 1
    last = None
    for penalty in penalties:
        last = fit_soft(x_MR, targets, penalty, start=last, tolerance=tolerance)
        weight_KR, bias_K = np.zeros((classes, x_MR.shape[1])), np.full(classes, NEVER)
        weight_KR[present], bias_K[present] = last
        yield weight_KR, bias_K


def fit_soft(
    x_MR: Doubles,
    targets: Mapping[float, Doubles],
    penalty: float,
    *,
    start: tuple[Doubles, Doubles] | None = None,
    tolerance: float = TO_KEEP,
) -> tuple[Doubles, Doubles]:
    """Return the weights [K, R] and biases [K] of the least penalised loss.

    Parameters
    ----------
    targets
        By temperature, weighed targets [M, K].
    """
    from scipy.optimize import minimize

    classes = next(iter(targets.values())).shape[1]
    # Two classes have two rows of weights here, and one as scikit-learn counts ``C``.
    strength = (2.0 if classes == 2 else 1.0) / (penalty * len(x_MR))
    # In units of its own curvature each weight is as easily moved as the others.
    unit_R = np.sqrt(np.append((x_MR**2).mean(axis=0), 1.0) / classes + strength)
    design_MR = np.column_stack([x_MR, np.ones(len(x_MR))]) / unit_R
    pull_R = np.append(np.full(x_MR.shape[1], strength), 0.0) / unit_R**2

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        return soft_loss(flat, design_MR, targets, pull_R)

    first_KR = _prior(x_MR, targets) if start is None else np.column_stack(start)
    found = minimize(
        loss,
        (first_KR * unit_R).ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": tolerance, "ftol": 1e-3 * tolerance**2, "maxiter": 2000},
    )
    weight_KR = found.x.reshape(classes, -1) / unit_R
    return weight_KR[:, :-1], weight_KR[:, -1]


def soft_loss(
    flat: Doubles, design_MR: Doubles, targets: Mapping[float, Doubles], pull_R: Doubles
) -> tuple[float, Doubles]:
    """Return the mean loss of weights [K * R] and its gradient.

    Parameters
    ----------
    design_MR
        Inputs; the logits are their products with the weights.
    targets
        By temperature the weighed targets [M, K]; what does not depend on the weights, such as
        a teacher's entropy, is left out.
    pull_R
        The strength of the L2 penalty for each input.
    """
    weight_KR = flat.reshape(-1, design_MR.shape[1])
    logits_MK = design_MR @ weight_KR.T
    pulled_KR = weight_KR * pull_R
    value, error_MK = 0.0, np.zeros_like(logits_MK)
    for temperature, target_MK in targets.items():
        scaled_MK = logits_MK / temperature
        scaled_MK -= scaled_MK.max(axis=1, keepdims=True)
        share_MK = np.exp(scaled_MK)
        total_M1 = share_MK.sum(axis=1, keepdims=True)
        weight_M1 = target_MK.sum(axis=1, keepdims=True)
        value += float((weight_M1 * np.log(total_M1)).sum() - (target_MK * scaled_MK).sum())
        error_MK += (weight_M1 / total_M1 * share_MK - target_MK) / temperature
    gradient_KR = error_MK.T @ design_MR / len(design_MR) + pulled_KR
    return value / len(design_MR) + 0.5 * float((weight_KR * pulled_KR).sum()), gradient_KR.ravel()


def _prior(x_MR: Doubles, targets: Mapping[float, Doubles]) -> Doubles:
    """Return weights of zero and the biases that give the classes their shares."""
    share_K = sum((target_MK.mean(axis=0) for target_MK in targets.values()), start=np.zeros(()))
    bias_K = np.log(np.maximum(share_K / share_K.sum(), _LEAST_SHARE))
    return np.column_stack([np.zeros((len(bias_K), x_MR.shape[1])), bias_K])
