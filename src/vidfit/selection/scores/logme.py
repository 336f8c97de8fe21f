"""LogME: the evidence of a Bayesian linear model for the labels (You 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import RESOLUTION, Doubles, checked, one_hot, spectrum

_LOG_LOW, _LOG_HIGH, _STEP = 2 * np.log(RESOLUTION), np.log(1e9), 0.25
"""Grid of ln(alpha / beta), relative to the largest eigenvalue.

Below, the noise would be under the resolution of the features; above, the evidence is that of
no weights to 1e-9. Each eigenvalue acts through a sigmoid of this logarithm, some 4 wide: no
peak is missed.
"""


def logme(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the maximised log evidence of the labels per clip, averaged over classes.

    For each class against the rest (targets y of 0 and 1), weights ``w ~ N(0, 1/alpha)`` and
    noise ``N(0, 1/beta)`` on ``y = F w``::

        [D/2 ln alpha + M/2 ln beta - M/2 ln 2pi - beta/2 |F m - y|^2 - alpha/2 |m|^2
         - 1/2 ln|A|] / M,    A = alpha I + beta F'F,    m = beta A^-1 F'y

    is maximised over alpha and beta. ``ln|A|`` counts all D eigenvalues, the D - R that are
    alpha among them. The fixed-point form in wide use drops these ``(D - R) ln alpha``: with
    more dimensions than clips it then rewards noise.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips; not centred, as in the paper.
    labels_M
        The clips' labels.

    Raises
    ------
    ValueError
        Features are not finite, or there is not one label per clip.
    NotEnoughDataError
        The labels name fewer than two classes.

    Notes
    -----
    The model is a Gaussian process with covariance ``(I + FF' / r) / beta``, ``r = alpha /
    beta``. Its best beta for a given r is known, which leaves one smooth function of ln r: a
    grid finds the highest peak, Brent's method its top. The fixed point of the paper may not
    converge where the labels are noise. There the best r is infinite, the weights are zero.

    Where labels are an exact linear function of features of a rank below M (each clip given
    twice, say), the evidence has no bound: noise below the resolution of float32 is not
    considered then.

    References
    ----------
    You, Liu, Wang and Long (2021), LogME: Practical assessment of pre-trained models for
    transfer learning; MacKay (1992), Bayesian interpolation.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    y_MK = one_hot(label_M)
    largest = np.abs(x_MD).max()
    if largest == 0:
        return float(_evidence(np.sum(y_MK**2, axis=0), np.ones(1), len(x_MD)).mean())
    left_MR, singular_R = spectrum(x_MD)
    eigen_R = (singular_R / singular_R[0]) ** 2  # the score does not depend on the scale
    power_RK = (left_MR.T @ y_MK) ** 2
    outside_K = np.sum((y_MK - left_MR @ (left_MR.T @ y_MK)) ** 2, axis=0)
    return float(_maximal(eigen_R, power_RK, outside_K, len(x_MD)).mean())


def _maximal(eigen_R: Doubles, power_RK: Doubles, outside_K: Doubles, clips: int) -> Doubles:
    """Return the evidence [K] of each class at its best ratio."""
    from scipy.optimize import minimize_scalar

    grid_G = np.arange(_LOG_LOW, _LOG_HIGH, _STEP)
    shrink_GR = _shrink(grid_G[:, None], eigen_R)
    evidence_GK = _evidence(shrink_GR @ power_RK + outside_K, shrink_GR, clips)
    best_K = np.empty(len(outside_K))
    for k, top in enumerate(evidence_GK.argmax(axis=0)):

        def negative(log_ratio: float, k: int = k) -> float:
            shrink_R = _shrink(log_ratio, eigen_R)
            return -float(_evidence(shrink_R @ power_RK[:, k] + outside_K[k], shrink_R, clips))

        bounds = (max(grid_G[top] - _STEP, _LOG_LOW), grid_G[top] + _STEP)
        found = minimize_scalar(negative, bounds=bounds, method="bounded", options={"xatol": 1e-8})
        best_K[k] = max(-found.fun, evidence_GK[top, k])
    return best_K


def _shrink(log_ratio: float | Doubles, eigen_R: Doubles) -> Doubles:
    """Return r / (r + eigenvalue): how much of the labels each direction leaves as noise."""
    ratio = np.exp(log_ratio)
    result: Doubles = ratio / (ratio + eigen_R)
    return result


def _evidence(squares: Doubles, shrink: Doubles, clips: int) -> Doubles:
    """Return the evidence per clip at the best beta.

    ``squares`` is ``y' (I + FF' / r)^-1 y``, and the best beta is clips / squares.
    """
    log_determinant = -np.log(shrink).sum(axis=-1)
    if squares.ndim > log_determinant.ndim:
        log_determinant = log_determinant[..., None]
    log_beta = np.log(clips / squares)
    result: Doubles = 0.5 * (log_beta - 1.0 - np.log(2 * np.pi) - log_determinant / clips)
    return result
