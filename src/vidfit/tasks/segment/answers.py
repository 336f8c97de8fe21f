"""The true and the answered class of each place of a picture, to be looked at.

Shape letters: M pictures, Y, X pixels, K numbers of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.metrics.areas import Labels, cells_of, pixels_of
from vidfit.tasks.placed import placed
from vidfit.tasks.task import Judged

_ROWS = 180
"""Most rows of what is shown."""


def mask_answers(
    truth: Any,  # noqa: ANN401
    answers_MK: Floats,
    judged: Judged,
) -> Iterator[Mapping[str, object]]:
    """Yield for each picture its grid (rows, columns), what is there and what was answered.

    Both are runs along the rows: how many places, then the number of their class.
    """
    for m, place in placed(judged):
        true_YX = truth[m].labels()
        answer_YX = pixels_of(cells_of(answers_MK[m]), true_YX.shape)
        step = max(1, -(-true_YX.shape[0] // _ROWS))
        small = [one[::step, ::step] for one in (true_YX, answer_YX)]
        yield {
            **place,
            "grid": [*small[0].shape],
            "objects": _runs(small[0]),
            "found": _runs(small[1]),
        }


def _runs(labels_YX: Labels) -> list[int]:
    flat = labels_YX.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, len(flat)])
    return [int(n) for pair in zip(lengths, flat[starts], strict=True) for n in pair]
