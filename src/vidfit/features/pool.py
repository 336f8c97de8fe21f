"""From the tokens of a clip to one vector."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Floats


def temporal_statistics(tokens_ND: Floats) -> Floats:
    """Return mean, standard deviation and mean absolute temporal difference of tokens.

    Parameters
    ----------
    tokens_ND
        Tokens in time order, N >= 1.

    Returns
    -------
    Floats
        Vector [3D]. With one token, deviation and difference are zero.
    """
    tokens_ND = np.asarray(tokens_ND, dtype=np.float32)
    difference_D = (
        np.abs(np.diff(tokens_ND, axis=0)).mean(axis=0)
        if len(tokens_ND) > 1
        else np.zeros(tokens_ND.shape[1], np.float32)
    )
    return np.concatenate([tokens_ND.mean(axis=0), tokens_ND.std(axis=0), difference_D])
