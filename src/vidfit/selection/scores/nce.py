"""NCE: how little the source labels leave open of the labels (Tran 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vidfit.selection.scores.inputs import numbered, one_hot


def nce(source_labels_M: ArrayLike, labels_M: ArrayLike) -> float:
    """Return the negative conditional entropy ``-H(Y | Z)`` in nats, at most 0.

    Parameters
    ----------
    source_labels_M
        The source class that a source classifier answers for each clip.
    labels_M
        The clips' labels.

    Raises
    ------
    ValueError
        There are not as many source labels as labels.
    NotEnoughDataError
        The labels name fewer than two classes.

    References
    ----------
    Tran, Nguyen and Hassner (2019), Transferability and hardness of supervised
    classification tasks.
    """
    source = np.asarray(source_labels_M)
    if source.ndim != 1:
        raise ValueError(f"source labels have shape {source.shape}; give one per clip.")
    label_M = numbered(labels_M, len(source))
    _, source_M = np.unique(source, return_inverse=True)
    count_KZ = one_hot(label_M).T @ one_hot(source_M)
    conditional_KZ = count_KZ / count_KZ.sum(axis=0)
    seen = count_KZ > 0
    return float(np.sum(count_KZ[seen] * np.log(conditional_KZ[seen])) / len(label_M))
