"""PARC: are clips of one class alike in their features? (Bolya 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import RESOLUTION, Doubles, checked

_DECIMALS = 12


def parc(features_MD: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the pairwise annotation representation comparison, between -1 and 1.

    Spearman's rank correlation, over all pairs of clips, of one minus Pearson's correlation of
    their standardised features with one minus that of their one-hot labels. The paper gives it
    times 100 and may reduce the features by PCA; here they are as they come.

    Parameters
    ----------
    features_MD
        Features [M, D] of the clips.
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
    The distance of labels is 0 within a class and the same between any two, so that it is
    ranked as a yes or no. A clip of equal standard scores throughout (as in one dimension)
    correlates with none, and a side whose distances are all equal says nothing: 0.

    References
    ----------
    Bolya, Mittapalli and Hoffman (2021), Scalable diverse model selection for accessible
    transfer learning.
    """
    from scipy.stats import spearmanr

    x_MD, label_M = checked(features_MD, labels_M)
    first, second = np.triu_indices(len(label_M), 1)
    apart = label_M[first] != label_M[second]
    # Rounding would break the ties of clips given twice at random.
    distance = np.round(1 - _correlation(_standardised(x_MD)), _DECIMALS)[first, second]
    if apart.all() or not np.ptp(distance):
        return 0.0
    return float(spearmanr(distance, apart).statistic)


def _standardised(x_MD: Doubles) -> Doubles:
    """Return standard scores, 0 for features that never change."""
    deviation_D = x_MD.std(axis=0)
    alive_D = deviation_D > RESOLUTION * np.abs(x_MD).max(axis=0)
    result: Doubles = (x_MD - x_MD.mean(axis=0)) * (alive_D / np.where(alive_D, deviation_D, 1.0))
    return result


def _correlation(x_MD: Doubles) -> Doubles:
    """Return Pearson's correlation [M, M] of rows, 0 for rows that never change."""
    centred_MD = x_MD - x_MD.mean(axis=1, keepdims=True)
    norm_M1 = np.linalg.norm(centred_MD, axis=1, keepdims=True)
    unit_MD = centred_MD / np.where(norm_M1 > RESOLUTION * np.abs(x_MD).max(), norm_M1, np.inf)
    result: Doubles = unit_MD @ unit_MD.T
    return result
