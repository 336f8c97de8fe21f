"""Which clips of a training run are learned from, choose the epoch, test, and have no label.

Shape letters: M clips, X numbers of a clip that the head looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Clip, Floats, Indices
from vidfit.errors import NotEnoughDataError
from vidfit.jobs.train.deploy import Deployed
from vidfit.study.clipsets import Prepared
from vidfit.study.folds import Folds
from vidfit.study.unlabelled import of_other_recordings
from vidfit.training.clipset import UNLABELLED


@dataclass(frozen=True)
class Parts:
    """Rows of clips that are learned from, that choose the epoch, that test, and without a label.

    ``bare_held`` counts those without a label that are of recordings that choose or test.
    """

    learn_M: Indices
    choose_M: Indices
    test_M: Indices
    bare_M: Indices
    bare_held: int = 0


def divided(ready: Prepared, notes: list[str]) -> Parts:
    """Return the rows of each part; validation clips are those of the data, or a fifth.

    Raises
    ------
    NotEnoughDataError
        If a part lacks a class.
    """
    labels_M, groups = ready.set.labels_M, ready.groups
    bare_M = labels_M == UNLABELLED
    splits = np.array([clip.split or "" for clip in ready.clips])
    test_M, choose_M = splits == "test", splits == "val"
    if not choose_M.any():
        rest = np.flatnonzero(~test_M & ~bare_M)
        fold_M = Folds(ready.classes, notes).to_choose(labels_M[rest], [groups[i] for i in rest], 0)
        choose_M[rest[fold_M == 0]] = True
    learn_M = ~test_M & ~choose_M & ~bare_M
    missing = np.setdiff1d(labels_M[~bare_M], labels_M[learn_M])
    if len(missing):
        names = ", ".join(repr(ready.classes[k]) for k in missing)
        raise NotEnoughDataError(
            f"no clip of {names} is left to learn from; add clips of other recordings, or leave "
            "the class out"
        )
    held = clips_of(ready, np.flatnonzero(test_M | choose_M))
    free = {*of_other_recordings(clips_of(ready, np.flatnonzero(bare_M)), held)}
    free_M = np.array([clip in free for clip in ready.clips]) & bare_M
    rows = [np.flatnonzero(mask_M) for mask_M in (learn_M, choose_M, test_M, free_M)]
    return Parts(rows[0], rows[1], rows[2], rows[3], int((bare_M & ~free_M).sum()))


def clips_of(ready: Prepared, rows_M: Indices) -> list[Clip]:
    """Return the clips of rows."""
    return [ready.clips[i] for i in rows_M]


def hits_of(made: Deployed, ready: Prepared, parts: Parts, test_MX: Floats) -> NDArray[np.bool_]:
    """Return which of the test clips, [M], a network answers with their class."""
    answers_M = made.head.log_probabilities([test_MX]).argmax(axis=1)
    hit_M: NDArray[np.bool_] = answers_M == ready.set.labels_M[parts.test_M]
    return hit_M
