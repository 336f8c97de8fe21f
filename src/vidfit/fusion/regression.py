"""Multinomial logistic regression on labels or on soft targets: one convex loss.

The loss of a clip with logits z and targets t_T at temperatures T is
``sum_T sum_k -t_Tk log softmax(z / T)_k``, plus an L2 penalty of the weights: a log-sum-exp of
linear functions less a linear one, so that there is one minimum whatever the start. With one-hot
targets at temperature 1 it is the usual multinomial logistic regression.

L-BFGS (`vidfit.fusion.descent`) runs on weights in units of their own curvature, from the weights
of the last, stronger penalty, and in the precision of its inputs. What is kept of single precision
is checked in double, and finished there where it does not hold.

Shape letters: M clips, K classes, R inputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vidfit.contracts import Indices
from vidfit.fusion.descent import Numbers, minimise

Weights = tuple[Numbers, Numbers]
"""Weights [K, R] and biases [K]."""

NEVER = -1e4
"""The bias of a class without a clip: it is never answered."""

TO_KEEP = 3e-5
"""Largest entry of the gradient, in those units, where a fit that is kept may end."""

_CHECKED = 1.01
"""Largest ratio of the gradient in double precision to that at which single precision ended."""

_LEAST_SHARE = 1e-6

_ROWS_AT_ONCE = 1024
"""Clips whose logits stay in the cache while they are worked on."""


def to_choose(classes: int) -> float:
    """Return the tolerance of fits that a penalty is chosen by, which needs fewer digits.

    The entries of a gradient are the smaller, the more classes share it. At ten times as much,
    fits that end early look better under a weak penalty than they are when they are finished: in
    283 blurred clips by 0.07 nats.
    """
    return 1e-3 * float(np.sqrt(2 / max(classes, 2)))


def regression(
    x_MR: Numbers,
    labels_M: Indices,
    penalty: float,
    tolerance: float,
    *,
    start: Weights | None = None,
) -> Weights:
    """Return weights [K, R] and biases [K] that make the labels most likely.

    Parameters
    ----------
    labels_M
        Class numbers; K is one more than the highest, and classes without a clip get no
        probability.
    penalty
        Inverse strength of the L2 penalty (scikit-learn's ``C``).
    start
        Weights and biases of the same classes.
    """
    present, number_M = np.unique(labels_M, return_inverse=True)
    targets = {1.0: np.eye(len(present), dtype=x_MR.dtype)[number_M]}
    first = None if start is None else (start[0][present], start[1][present])
    found = fit_soft(x_MR, targets, penalty, start=first, tolerance=tolerance)
    classes = int(present[-1]) + 1
    weight_KR = np.zeros((classes, x_MR.shape[1]), x_MR.dtype)
    bias_K = np.full(classes, NEVER, x_MR.dtype)
    weight_KR[present], bias_K[present] = found
    return weight_KR, bias_K


def fit_soft(
    x_MR: Numbers,
    targets: Mapping[float, Numbers],
    penalty: float,
    *,
    start: Weights | None = None,
    tolerance: float = TO_KEEP,
) -> Weights:
    """Return the weights [K, R] and biases [K] of the least penalised loss.

    Parameters
    ----------
    targets
        By temperature, weighed targets [M, K].
    """
    classes = next(iter(targets.values())).shape[1]
    # Two classes have two rows of weights here, and one as scikit-learn counts ``C``.
    strength = (2.0 if classes == 2 else 1.0) / (penalty * len(x_MR))
    # In units of its own curvature each weight is as easily moved as the others.
    curvature_R = np.append(np.einsum("mr,mr->r", x_MR, x_MR) / len(x_MR), 1.0) / classes
    unit_R = np.sqrt(curvature_R + strength)
    pull_R = np.append(np.full(x_MR.shape[1], strength), 0.0) / unit_R**2
    first_KR = _prior(x_MR, targets) if start is None else np.column_stack(start)
    found = (first_KR * unit_R).ravel().astype(x_MR.dtype)
    found = _minimised(found, (x_MR, unit_R, pull_R), targets, tolerance)
    if x_MR.dtype == np.float32 and tolerance <= TO_KEEP:
        exact = (x_MR.astype(np.float64), unit_R, pull_R)
        found = _minimised(found.astype(np.float64), exact, targets, _CHECKED * tolerance)
    weight_KR = (found.reshape(classes, -1) / unit_R).astype(x_MR.dtype)
    return weight_KR[:, :-1], weight_KR[:, -1]


def _minimised(
    start: Numbers,
    problem: tuple[Numbers, Numbers, Numbers],
    targets: Mapping[float, Numbers],
    tolerance: float,
) -> Numbers:
    """Return the weights of the least loss in the precision of the start."""
    x_MR, unit_R, pull_R = problem
    design_MR = np.empty((len(x_MR), x_MR.shape[1] + 1), start.dtype)
    own_R, unit_R = pull_R.astype(start.dtype), unit_R.astype(start.dtype)
    np.divide(x_MR, unit_R[:-1], out=design_MR[:, :-1])
    design_MR[:, -1] = 1.0 / unit_R[-1]
    own = {t: target_MK.astype(start.dtype, copy=False) for t, target_MK in targets.items()}
    return minimise(lambda flat: soft_loss(flat, design_MR, own, own_R), start, tolerance)


def soft_loss(
    flat: Numbers, design_MR: Numbers, targets: Mapping[float, Numbers], pull_R: Numbers
) -> tuple[float, Numbers]:
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
    pulled_KR = weight_KR * pull_R
    value, gradient_KR = 0.0, np.zeros_like(weight_KR)
    for first in range(0, len(design_MR), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        some = {temperature: target_MK[rows] for temperature, target_MK in targets.items()}
        lost, error_MK = _error(design_MR[rows] @ weight_KR.T, some)
        value += lost
        gradient_KR += error_MK.T @ design_MR[rows]
    gradient_KR /= len(design_MR)
    gradient_KR += pulled_KR
    return value / len(design_MR) + 0.5 * float(np.vdot(weight_KR, pulled_KR)), gradient_KR.ravel()


def _error(logits_MK: Numbers, targets: Mapping[float, Numbers]) -> tuple[float, Numbers]:
    """Return the summed loss of logits and its gradient by them."""
    value, error_MK = 0.0, np.zeros_like(logits_MK)
    for temperature, target_MK in targets.items():
        scaled_MK = logits_MK / temperature if temperature != 1.0 else logits_MK
        scaled_MK = scaled_MK - scaled_MK.max(axis=1, keepdims=True)
        true = float(np.vdot(target_MK, scaled_MK))
        share_MK = np.exp(scaled_MK, out=scaled_MK)
        total_M1 = share_MK.sum(axis=1, keepdims=True)
        weight_M1 = target_MK.sum(axis=1, keepdims=True)
        value += float((weight_M1 * np.log(total_M1)).sum(dtype=np.float64)) - true
        share_MK *= weight_M1 / total_M1
        share_MK -= target_MK
        error_MK += share_MK / temperature if temperature != 1.0 else share_MK
    return value, error_MK


def _prior(x_MR: Numbers, targets: Mapping[float, Numbers]) -> Numbers:
    """Return weights of zero and the biases that give the classes their shares."""
    share_K = sum((target_MK.mean(axis=0) for target_MK in targets.values()), start=np.zeros(()))
    bias_K = np.log(np.maximum(share_K / share_K.sum(), _LEAST_SHARE))
    return np.column_stack([np.zeros((len(bias_K), x_MR.shape[1])), bias_K])
