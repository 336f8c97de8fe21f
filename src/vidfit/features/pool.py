"""From the tokens of a clip to one vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Backbone, Floats

STEPS = 8
"""Steps in time of `time_steps`."""


def temporal_statistics(tokens_ND: Floats) -> Floats:
    """Return mean, standard deviation and mean absolute temporal difference of tokens.

    Parameters
    ----------
    tokens_ND
        Tokens in time order.

    Returns
    -------
    Floats
        Vector [3D]. With one token, deviation and difference are zero; without a token, where the
        clip lacks what the encoder sees, all are NaN (`vidfit.fusion.span.standardised`).
    """
    tokens_ND = np.asarray(tokens_ND, dtype=np.float32)
    if not len(tokens_ND):
        return np.full(3 * tokens_ND.shape[1], np.nan, np.float32)
    difference_D = (
        np.abs(np.diff(tokens_ND, axis=0)).mean(axis=0)
        if len(tokens_ND) > 1
        else np.zeros(tokens_ND.shape[1], np.float32)
    )
    return np.concatenate([tokens_ND.mean(axis=0), tokens_ND.std(axis=0), difference_D])


def time_steps(tokens_ND: Floats) -> Floats:
    """Return tokens at ``STEPS`` equal times, one after the other.

    Models see differing numbers of frames: interpolated in time, step t of one model stands for
    the same part of the clip as step t of another.

    Parameters
    ----------
    tokens_ND
        Tokens in time order, at the centres of equal parts of the clip.

    Returns
    -------
    Floats
        Vector [STEPS * D]. With one token, all steps are alike; without a token all are NaN.
    """
    tokens_ND = np.asarray(tokens_ND, dtype=np.float32)
    if not len(tokens_ND):
        return np.full(STEPS * tokens_ND.shape[1], np.nan, np.float32)
    count = len(tokens_ND)
    place_T = np.clip((np.arange(STEPS) + 0.5) / STEPS * count - 0.5, 0.0, count - 1.0)
    before_T = np.floor(place_T).astype(int)
    after_T = np.minimum(before_T + 1, count - 1)
    share_T1 = (place_T - before_T).astype(np.float32)[:, None]
    steps_TD: Floats = (1 - share_T1) * tokens_ND[before_T] + share_T1 * tokens_ND[after_T]
    return steps_TD.reshape(-1)


@dataclass(frozen=True)
class Pooling:
    """What is learned from of a clip: a function of its tokens [N, D] to a vector.

    Parameters
    ----------
    pool
        The function.
    times
        Numbers of the vector for each feature of a token, those of ``beside`` too.
    beside
        Facts of the encoder, as numbers that go before those of its tokens; none unless said.
    on_disk
        Whether vectors lie in a file, in half precision, from which clips are read as they are
        needed: what is large of each clip would fill the memory.
    """

    pool: Callable[[Floats], Floats]
    times: int
    beside: Callable[[Backbone], Floats] | None = None
    on_disk: bool = False

    def of(self, backbone: Backbone) -> Callable[[Floats], Floats]:
        """Return the function of the tokens of one encoder."""
        if self.beside is None:
            return self.pool
        first, pool = self.beside(backbone), self.pool
        return lambda tokens_ND: np.concatenate([first, pool(tokens_ND)])


STATISTICS = Pooling(temporal_statistics, 3)
"""Mean, deviation and change."""

IN_STEPS = Pooling(time_steps, STEPS)
"""Kept apart by time."""
