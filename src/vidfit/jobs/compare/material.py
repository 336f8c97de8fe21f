"""What the rows of a comparison learn from: the same clips, dealt once to folds.

Shape letters: M labelled clips, A labelled clips and then those without a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vidfit.contracts import Indices
from vidfit.networks.vocabulary import Vocabulary
from vidfit.study.folds import Folds
from vidfit.study.subject import Sight
from vidfit.study.table import Table
from vidfit.training.clipset import ClipSet


@dataclass(frozen=True)
class FoldPart:
    """Rows of one fold.

    Parameters
    ----------
    number
        Of the fold.
    known_M
        Those outside of the fold; ``inner_M`` deals them to folds in which choices are made.
    test_M
        Those that are answered.
    bare_A
        Those without a label, of recordings outside of the fold.
    """

    number: int
    known_M: Indices
    inner_M: Indices
    test_M: Indices
    bare_A: Indices

    @property
    def choose_M(self) -> Indices:  # noqa: N802 - the letter says what it runs over
        """Rows that choose the epoch."""
        chosen_M: Indices = self.known_M[self.inner_M == self.inner_M.min()]
        return chosen_M

    @property
    def learn_M(self) -> Indices:  # noqa: N802
        """Rows that are learned from."""
        learned_M: Indices = self.known_M[self.inner_M != self.inner_M.min()]
        return learned_M


@dataclass(frozen=True)
class Material:
    """What the rows learn from.

    Parameters
    ----------
    table
        The labelled clips, with vectors and steps in time by encoder.
    frames
        Their frames, then those of clips without a label.
    recordings_A
        Of all of them.
    texts_A
        What is said in each.
    seen
        How frames are sampled.
    folds_M
        Of the labelled clips.
    """

    table: Table
    frames: ClipSet
    recordings_A: tuple[str, ...]
    texts_A: tuple[str | None, ...]
    seen: Sight
    folds_M: Indices

    @property
    def unlabelled(self) -> int:
        """Clips without a label."""
        return len(self.recordings_A) - len(self.table.clips)

    def parts(self) -> Iterator[FoldPart]:
        """Yield the folds."""
        labels_M, groups = self.table.labels_M, self.table.groups
        folds = Folds(self.table.classes)
        for number in np.unique(self.folds_M):
            known_M = np.flatnonzero(self.folds_M != number)
            some = [groups[i] for i in known_M]
            inner_M = folds.to_choose(labels_M[known_M], some, 1 + int(number))
            test_M = np.flatnonzero(self.folds_M == number)
            asked = {groups[i] for i in test_M}
            bare = [
                row
                for row in range(len(groups), len(self.recordings_A))
                if self.recordings_A[row] not in asked
            ]
            yield FoldPart(int(number), known_M, inner_M, test_M, np.array(bare, np.int64))

    def with_words(self, rows: Indices) -> tuple[ClipSet, Vocabulary]:
        """Return the frames with texts as numbers of the words that some rows have."""
        vocabulary = Vocabulary.of(self.texts_A[i] for i in rows)
        if not vocabulary.size:
            return self.frames, vocabulary
        arrays = {**self.frames.arrays, "text": vocabulary.numbers(self.texts_A)}
        return replace(self.frames, arrays=arrays), vocabulary
