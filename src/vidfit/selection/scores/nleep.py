"""N-LEEP: LEEP on clusters of the features in place of source classes (Li 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import Doubles, checked, principal
from vidfit.selection.scores.leep import leep

_VARIANCE_KEPT = 0.8
_COMPONENTS_PER_CLASS = 5
_CLIPS_PER_COMPONENT = 5
_LEAST_VARIANCE = 1e-3


def nleep(features_MD: ArrayLike, labels_M: ArrayLike, *, seed: int = 0) -> float:
    """Return LEEP with the components of a Gaussian mixture as source classes, at most 0.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips.
    labels_M
        The clips' labels.
    seed
        Of the mixture's start. The order of the clips has a part in that start too.

    Raises
    ------
    ValueError
        Features are not finite, or there is not one label per clip.
    NotEnoughDataError
        The labels name fewer than two classes.

    Notes
    -----
    PCA that keeps 80 % of the variance and 5 components per class, as in the paper, which has
    thousands of images. Few clips need three changes. With a component for each clip every
    network would score a perfect 0: there are 5 clips to a component on average, though as
    many components as classes (and never more than distinct clips). Covariances are diagonal:
    a full one needs more clips than dimensions in each component. Components are
    scaled to a mean variance of 1, of which no component has less than 0.001.

    References
    ----------
    Li et al. (2021), Ranking neural checkpoints; Nguyen et al. (2020) for LEEP.
    """
    x_MD, label_M = checked(features_MD, labels_M)
    component_MR = _most_of_the_variance(x_MD)
    if not component_MR.shape[1]:  # all clips are alike: one cluster
        return leep(np.ones((len(x_MD), 1)), label_M)
    return leep(_memberships(component_MR, _components(component_MR, label_M), seed), label_M)


def _most_of_the_variance(x_MD: Doubles) -> Doubles:
    """Return the least number of components that keep 80 %, of mean variance 1."""
    component_MR, share_R = principal(x_MD)
    kept = int(np.searchsorted(np.cumsum(share_R), _VARIANCE_KEPT, side="right")) + 1
    some_MR = component_MR[:, :kept]
    return some_MR / np.sqrt(np.mean(some_MR**2)) if some_MR.size else some_MR


def _components(component_MR: Doubles, label_M: ArrayLike) -> int:
    clips, classes = len(component_MR), len(np.unique(label_M))
    affordable = max(classes, clips // _CLIPS_PER_COMPONENT)
    # Clips given twice differ by rounding here.
    distinct = len(np.unique(np.round(component_MR, 6), axis=0))
    return min(_COMPONENTS_PER_CLASS * classes, affordable, distinct)


def _memberships(component_MR: Doubles, count: int, seed: int) -> Doubles:
    """Return each clip's probability [M, Z] of each component of a mixture."""
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        count, covariance_type="diag", reg_covar=_LEAST_VARIANCE, max_iter=500, random_state=seed
    )
    probability_MZ: Doubles = mixture.fit(component_MR).predict_proba(component_MR)
    return probability_MZ
