"""Windows in order of time: stretches of a video that no gap cuts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices

_GAP = 1.5
"""Times the usual step from window to window."""


def stretches(video_M: Indices, start_M: NDArray[np.floating]) -> Iterator[tuple[Indices, float]]:
    """Yield the windows of each stretch in order of time, and the seconds from one to the next.

    Videos stand apart, and so do stretches of a video with a gap between them. A video of one
    window has steps of 0 seconds.
    """
    for video in np.unique(video_M):
        rows = np.flatnonzero(video_M == video)
        rows = rows[np.argsort(start_M[rows], kind="stable")]
        steps = np.diff(start_M[rows])
        usual = float(np.median(steps)) if len(steps) else 0.0
        for part in np.split(rows, np.flatnonzero(steps > _GAP * usual) + 1):
            yield part, usual
