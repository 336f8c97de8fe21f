"""LEEP: log-likelihood of the labels under what a source classifier answers (Nguyen 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import checked, one_hot


def leep(source_MZ: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the Log Expected Empirical Prediction, at most 0.

    With ``P(y, z)`` the mean over clips of the probability of source class z where the label
    is y, each clip is answered by ``sum_z P(y | z) p(z | clip)``; the score is the mean log of
    the answer for its label.

    Parameters
    ----------
    source_MZ
        Probabilities [M, Z] of the source classes for each clip.
    labels_M
        The clips' labels.

    Raises
    ------
    ValueError
        A row is no distribution, or there is not one label per clip.
    NotEnoughDataError
        The labels name fewer than two classes.

    References
    ----------
    Nguyen, Hassner, Seeger and Archambeau (2020), LEEP: A new measure to evaluate
    transferability of learned representations, equations 1 and 2.
    """
    p_MZ, label_M = checked(source_MZ, labels_M)
    sums_M = p_MZ.sum(axis=1)
    if p_MZ.min() < 0 or not np.allclose(sums_M, 1.0, atol=1e-3):
        raise ValueError(
            f"source rows lie in [{p_MZ.min():.3g}, {p_MZ.max():.3g}] and add up to "
            f"{sums_M.min():.3g} to {sums_M.max():.3g}; give probabilities (softmax of logits)."
        )
    joint_KZ = one_hot(label_M).T @ p_MZ
    mass_Z = joint_KZ.sum(axis=0)
    # A source class that is never answered has no conditional, and is never needed.
    conditional_KZ = joint_KZ / np.where(mass_Z > 0, mass_Z, 1.0)
    answer_M = np.sum(conditional_KZ[label_M] * p_MZ, axis=1)
    return float(np.log(answer_M).mean())
