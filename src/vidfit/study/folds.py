"""Which clips are learned from, which choose, and which are tested on."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vidfit.contracts import Clip, Indices, Truth
from vidfit.errors import NotEnoughDataError
from vidfit.labels import ONE, Kind
from vidfit.manifest import (
    Manifest,
    balanced_folds,
    counted,
    counted_strata,
    grouped_folds,
    holdout,
    noticed,
    random_folds,
    refusal,
)
from vidfit.study.table import Table
from vidfit.study.testable import testable
from vidfit.tasks import CLASSIFY, Task

FOLDS = 5
_CLIPS_LEFT, _NAMED = 2, 5


def check_enough(clips: Sequence[Clip], known: str = "", where: str = "") -> None:
    """Refuse clips if not all of their classes can be both learned and tested.

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
    _check_classes(clips, known, where)
    short, folds = _short(clips)
    if short:
        consequence = (
            f"too few clips{where} to learn from and to test on: {_lacking(short)}. "
            f"{_needs(folds)}. Add clips of other recordings, or leave the class out"
        )
        raise NotEnoughDataError(refusal(known, consequence))


def able_classes(
    clips: Sequence[Clip],
    notes: list[str],
    known: str = "",
    where: str = "",
    task: Task = CLASSIFY,
) -> tuple[str, ...]:
    """Return the classes that can be both learned and tested, and note what the others lack.

    A class needs clips of two recordings, one to learn from and one to be tested on. When a
    fold is taken away two of its clips must be left: what is learned from them is chosen by a
    second, inner cross-validation. Of several labels a class needs two recordings with it, and
    two without; a number needs two recordings.

    Parameters
    ----------
    known, where
        As in `check_enough`.
    task
        What is asked of the clips.

    Raises
    ------
    NotEnoughDataError
        If too few classes are left; names the others and what they lack.
    """
    if not task.kind.exclusive:
        return testable(clips, task, notes, known, where)
    _check_classes(clips, known, where)
    short, folds = _short(clips)
    able = tuple(sorted({str(clip.label) for clip in clips} - short.keys()))
    if len(able) < 2:
        consequence = (
            f"too few clips{where} to learn from and to test on: {_lacking(short)}; "
            f"{counted(len(able), 'class', 'classes')} of {len(able) + len(short)} can be tested, "
            f"and two are needed. {_needs(folds)}. Add clips of other recordings"
        )
        raise NotEnoughDataError(refusal(known, consequence))
    if short:
        notes.append(
            f"Not tested, for too few recordings hold them: {_lacking(short)}. {_needs(folds)}."
        )
    return able


def _check_classes(clips: Sequence[Clip], known: str, where: str) -> None:
    labels = sorted({str(clip.label) for clip in clips})
    if len(labels) < 2:
        verb = "is" if len(clips) == 1 else "are"
        consequence = (
            f"{counted(len(clips), 'labelled clip')}{where} {verb} of "
            f"{counted(len(labels), 'class', 'classes')}{_listed(labels)}; two classes or "
            "more are needed: put clips in folders CLASS/*.mp4, or give a CSV with the columns "
            "path and label"
        )
        raise NotEnoughDataError(refusal(known, consequence))


def _short(clips: Sequence[Clip]) -> tuple[dict[str, Counter[str]], int]:
    """Return the classes that cannot be tested, with clips by recording, and the fewest folds.

    How many folds there are hangs on the rarest of the classes that can be tested.
    """
    recordings = _recordings(clips)
    able = {label: sizes for label, sizes in recordings.items() if len(sizes) >= 2}
    fewest = folds = min([FOLDS, *map(len, able.values())])
    while lost := [label for label in able if _left(able[label], folds) < _CLIPS_LEFT]:
        fewest = min(fewest, folds)
        able = {label: sizes for label, sizes in able.items() if label not in lost}
        folds = min([FOLDS, *map(len, able.values())])
    short = {label: sizes for label, sizes in recordings.items() if label not in able}
    return short, fewest


def _recordings(clips: Sequence[Clip]) -> dict[str, Counter[str]]:
    """Return by class its clips by recording."""
    recordings: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in clips:
        recordings[str(clip.label)][clip.recording] += 1
    return recordings


def _lacking(short: dict[str, Counter[str]]) -> str:
    lines = [
        f"{label!r} has {counted(sum(sizes.values()), 'clip')} "
        f"of {counted(len(sizes), 'recording')}"
        for label, sizes in short.items()
    ]
    more = len(lines) - _NAMED
    return "; ".join([*lines[:_NAMED], *([f"and {more} more classes"] if more > 0 else [])])


def _needs(folds: int) -> str:
    return (
        f"A class needs at least 2 recordings, and {_CLIPS_LEFT} clips that are left when one of "
        f"{folds} folds of recordings is put aside"
    )


def _left(sizes: Counter[str], folds: int) -> int:
    """Return a class' clips without those of the largest recordings that one fold may hold."""
    in_fold = -(-len(sizes) // folds)
    return sum(sizes.values()) - sum(count for _, count in sizes.most_common(in_fold))


def _listed(labels: Sequence[str]) -> str:
    return f" ({', '.join(repr(label) for label in labels)})" if labels else ""


@dataclass(frozen=True)
class Folds:
    """Deals clips to folds; ``notes`` collects what the user should know about that."""

    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    kind: Kind = ONE

    def by_recording(self, labels_M: Truth, groups: Sequence[str], seed: int) -> Indices:
        """Deal whole recordings: the folds that a score is claimed from."""
        if not self.kind.exclusive:
            return balanced_folds(self.kind.strata(labels_M), groups, folds=FOLDS, seed=seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            fold_M = grouped_folds(self._names(labels_M), groups, folds=FOLDS, seed=seed)
        self.notes.extend(str(warning.message) for warning in caught)
        return fold_M

    def to_choose(self, labels_M: Truth, groups: Sequence[str], seed: int) -> Indices:
        """Deal by recording where a class has enough of them left, else by clip.

        Choosing by clips may choose worse; what is claimed is scored on other recordings anyway.
        """
        if len(set(groups)) < 2:
            return self.at_random(labels_M, groups, seed)
        if not self.kind.exclusive:
            return self.by_recording(labels_M, groups, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # fewer folds here change no claim
            try:
                return grouped_folds(self._names(labels_M), groups, folds=FOLDS, seed=seed)
            except NotEnoughDataError:
                return self.at_random(labels_M, groups, seed)

    def at_random(self, labels_M: Truth, groups: Sequence[str], seed: int) -> Indices:
        """Deal by clip, as is often done: clips of one recording stand on both sides."""
        if not self.kind.exclusive:
            alone = [str(i) for i in range(len(labels_M))]
            return balanced_folds(self.kind.strata(labels_M), alone, folds=FOLDS, seed=seed)
        return random_folds(self._names(labels_M), folds=FOLDS, seed=seed)

    def _names(self, labels_M: Indices) -> list[str]:
        return [self.classes[k] for k in labels_M]


def put_aside(manifest: Manifest, share: float, notes: list[str]) -> Manifest:
    """Mark a share of the recordings as test split, unless the data has one of its own.

    A class that too few recordings hold stays with those to learn from, and is named.

    Raises
    ------
    NotEnoughDataError
        If no recording can be put aside, or those of fewer than two classes.
    """
    if not share:
        return manifest
    if any(clip.split == "test" for clip in manifest.clips):
        notes.append("The data has a test split of its own; no further recordings were held out.")
        return manifest
    labelled = tuple(clip for clip in manifest.clips if clip.label is not None)
    if not manifest.kind.exclusive:
        return _some_aside(replace(manifest, clips=labelled), share)
    divided = holdout(replace(manifest, clips=labelled), share, seed=0)
    tested = {str(clip.label) for clip in divided.clips if clip.split == "test"}
    recordings = _recordings([c for c in labelled if str(c.label) not in tested])
    if recordings:
        lacking = f"too few recordings can be held out: {_lacking(recordings)}"
        if len(tested) < 2:
            raise NotEnoughDataError(
                refusal(noticed(manifest), f"{lacking}; two classes are needed")
            )
        notes.append(f"Not in the test set, but learned, for {lacking}.")
    return divided


def _some_aside(manifest: Manifest, share: float) -> Manifest:
    """Put recordings aside that hold a fair share of several labels, or of numbers."""
    truth = manifest.kind.truth(manifest.clips, manifest.classes)
    strata_MX = manifest.kind.strata(truth)
    return holdout(manifest, share, 0, counted_strata(strata_MX, manifest.groups))


def split(table: Table, notes: list[str]) -> tuple[Table, Table]:
    """Return the clips to learn from and those of the test split, which may be empty.

    Raises
    ------
    NotEnoughDataError
        If either side lacks what it needs.
    """
    train, test = table.split()
    if test.clips:
        kind, row = table.kind, table.task.row
        missing = sorted({*kind.classes(test.clips)} - {*kind.classes(train.clips)})
        if missing:
            raise NotEnoughDataError(
                f"the test split has classes that no other {row} has{_listed(missing)}; "
                f"add training {row}s of them, or leave them out"
            )
        able = able_classes(train.clips, notes, where=" outside the test split", task=table.task)
        train, test = train.of_classes(able), test.of_classes(able)
        shared = set(train.groups) & set(test.groups)
        if shared:
            notes.append(
                f"The data's own split cuts {counted(len(shared), 'recording')}: their {row}s "
                "stand both in "
                "training and in test, so that the test score is too high."
            )
    return train, test
