"""Windows of a model of clips in the light of their neighbours: a class lasts for some seconds.

No label over time says how long: whoever asks does. Classes are taken to be as frequent as one
another, for what a model learned from may be unlike the video.

Shape letters: M windows, K classes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import VidfitError
from vidfit.labels import Kind
from vidfit.tasks.localise.chain import MarkovChain, smoothed


def lasting(
    answers_MK: Floats, seconds: float, video_M: Indices, start_M: NDArray[np.floating]
) -> Floats:
    """Return log-probabilities of windows where a class lasts a number of seconds on average."""
    classes = answers_MK.shape[1]
    even_K = np.full(classes, -math.log(classes), np.float32)
    chain = MarkovChain.lasting(seconds)
    result: Floats = smoothed(answers_MK, even_K, (chain,), video_M, start_M)[0]
    return result


def check_smoothing(seconds: float | None, kind: Kind, is_in_time: bool) -> None:
    """Refuse what cannot be smoothed.

    Parameters
    ----------
    is_in_time
        Whether the model smooths its answers itself.

    Raises
    ------
    VidfitError
        If seconds are below 0, or answers are not one class, or are smoothed by the model.
    """
    if seconds is None:
        return
    if not 0 <= seconds < math.inf:
        raise VidfitError(f"classes cannot last {seconds:g} s; give 0 or more (--smooth)")
    if is_in_time:
        raise VidfitError(
            "--smooth is for models of clips; this one smooths as was chosen when it was fitted"
        )
    if seconds and not kind.exclusive:
        raise VidfitError(
            f"--smooth takes models that answer with one class, and this one answers with "
            f"{kind.what}; leave it away"
        )
