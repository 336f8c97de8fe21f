"""Which clips are learned from, which choose, and which are tested on."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vidfit.contracts import Clip, Indices
from vidfit.errors import NotEnoughDataError
from vidfit.jobs.table import Table
from vidfit.manifest import (
    Manifest,
    counted,
    grouped_folds,
    holdout,
    random_folds,
    refusal,
)

FOLDS = 5
_CLIPS_LEFT = 2


def check_enough(clips: Sequence[Clip], known: str = "", where: str = "") -> None:
    """Refuse clips from which nothing can be both learned and tested.

    A class needs clips of two recordings, one to learn from and one to be tested on. When a
    fold is taken away two of its clips must be left: what is learned from them is chosen by a
    second, inner cross-validation.

    Parameters
    ----------
    known
        What was lost or noticed while they were read (`vidfit.manifest.noticed`): a refusal says
        it first.
    where
        Which clips these are.

    Raises
    ------
    NotEnoughDataError
        Names each class that is short of clips, and what it lacks.
    """
    recordings: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in clips:
        recordings[str(clip.label)][clip.group or clip.path] += 1
    if len(recordings) < 2:
        verb = "is" if len(clips) == 1 else "are"
        consequence = (
            f"{counted(len(clips), 'labelled clip')}{where} {verb} of "
            f"{counted(len(recordings), 'class', 'classes')}{_listed(recordings)}; two classes or "
            "more are needed: put clips in folders CLASS/*.mp4, or give a CSV with the columns "
            "path and label"
        )
        raise NotEnoughDataError(refusal(known, consequence))
    folds = min(FOLDS, *map(len, recordings.values()))
    short = [
        f"{label!r} has {counted(sum(sizes.values()), 'clip')} "
        f"of {counted(len(sizes), 'recording')}"
        for label, sizes in recordings.items()
        if len(sizes) < 2 or _left(sizes, folds) < _CLIPS_LEFT
    ]
    if short:
        consequence = (
            f"too few clips{where} to learn from and to test on: {'; '.join(short[:5])}. A class "
            f"needs at least 2 recordings, and {_CLIPS_LEFT} clips that are left when one of "
            f"{max(folds, 2)} folds of recordings is put aside. Add clips of other recordings, or "
            "leave the class out"
        )
        raise NotEnoughDataError(refusal(known, consequence))


def _left(sizes: Counter[str], folds: int) -> int:
    """Return a class' clips without those of the largest recordings that one fold may hold."""
    in_fold = -(-len(sizes) // folds)
    return sum(sizes.values()) - sum(count for _, count in sizes.most_common(in_fold))


def _listed(labels: Sequence[str] | dict[str, Counter[str]]) -> str:
    return f" ({', '.join(repr(label) for label in labels)})" if labels else ""


@dataclass(frozen=True)
class Folds:
    """Deals clips to folds; ``notes`` collects what the user should know about that."""

    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)

    def by_recording(self, labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
        """Deal whole recordings: the folds that a score is claimed from."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            fold_M = grouped_folds(self._names(labels_M), groups, folds=FOLDS, seed=seed)
        self.notes.extend(str(warning.message) for warning in caught)
        return fold_M

    def to_choose(self, labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
        """Deal by recording where a class has enough of them left, else by clip.

        Choosing by clips may choose worse; what is claimed is scored on other recordings anyway.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # fewer folds here change no claim
            try:
                return grouped_folds(self._names(labels_M), groups, folds=FOLDS, seed=seed)
            except NotEnoughDataError:
                return self.at_random(labels_M, groups, seed)

    def at_random(self, labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
        """Deal by clip, as is often done: clips of one recording stand on both sides."""
        return random_folds(self._names(labels_M), folds=FOLDS, seed=seed)

    def _names(self, labels_M: Indices) -> list[str]:
        return [self.classes[k] for k in labels_M]


def put_aside(manifest: Manifest, share: float, notes: list[str]) -> Manifest:
    """Mark a share of the recordings as test split, unless the data has one of its own.

    Raises
    ------
    NotEnoughDataError
        If a class has too few recordings for that.
    """
    if not share:
        return manifest
    if any(clip.split == "test" for clip in manifest.clips):
        notes.append("The data has a test split of its own; no further recordings were held out.")
        return manifest
    labelled = tuple(clip for clip in manifest.clips if clip.label is not None)
    return holdout(replace(manifest, clips=labelled), share, seed=0)


def split(table: Table, notes: list[str]) -> tuple[Table, Table]:
    """Return the clips to learn from and those of the test split, which may be empty.

    Raises
    ------
    NotEnoughDataError
        If either side lacks what it needs.
    """
    train, test = table.split()
    if test.clips:
        check_enough(train.clips, where=" outside the test split")
        missing = sorted({str(c.label) for c in test.clips} - {str(c.label) for c in train.clips})
        if missing:
            raise NotEnoughDataError(
                f"the test split has classes that no other clip has{_listed(missing)}; "
                "add training clips of them, or leave them out"
            )
        shared = set(train.groups) & set(test.groups)
        if shared:
            notes.append(
                f"The data's own split cuts {len(shared)} recordings: clips of them stand both in "
                "training and in test, so that the test score is too high."
            )
    return train, test
