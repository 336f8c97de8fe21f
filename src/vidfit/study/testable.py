"""Whether several labels, or numbers, can be both learned and tested."""

from __future__ import annotations

from collections.abc import Sequence

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.labels import NUMBER, Labels, classes_of, truth_of
from vidfit.manifest import counted, refusal

_LEAST, _NAMED = 2, 5


def testable(
    clips: Sequence[Clip], labels: Labels, notes: list[str], known: str, where: str
) -> tuple[str, ...]:
    """Return the classes that can be both learned and tested, and note what the others lack.

    Parameters
    ----------
    known, where
        As in `vidfit.study.folds.able_classes`.

    Raises
    ------
    NotEnoughDataError
        If no class is left, or there are fewer than two recordings.
    """
    recordings = {clip.recording for clip in clips}
    if len(recordings) < _LEAST:
        raise NotEnoughDataError(
            refusal(
                known,
                f"{counted(len(clips), 'labelled clip')}{where} of "
                f"{counted(len(recordings), 'recording')}; two recordings or more are needed, to "
                "learn from one and test on the other",
            )
        )
    if labels == "number":
        return _of_numbers(clips, known, where)
    lacking = _lacking(clips, labels)
    able = tuple(name for name in classes_of(clips, labels) if name not in lacking)
    said = "; ".join(list(lacking.values())[:_NAMED])
    more = len(lacking) - _NAMED
    said += f"; and {more} more classes" if more > 0 else ""
    needs = "A class needs two recordings with it, and two without"
    if not able:
        consequence = f"too few recordings{where}: {said or 'no clip has a class'}. {needs}"
        raise NotEnoughDataError(refusal(known, consequence))
    if lacking:
        notes.append(f"Not tested, and not learned: {said}. {needs}.")
    return able


def _of_numbers(clips: Sequence[Clip], known: str, where: str) -> tuple[str, ...]:
    if len({float(str(clip.label)) for clip in clips}) < _LEAST:
        consequence = f"all {len(clips)} clips{where} have the same number; nothing can be learned"
        raise NotEnoughDataError(refusal(known, consequence))
    return (NUMBER,)


def _lacking(clips: Sequence[Clip], labels: Labels) -> dict[str, str]:
    """Return by class what it lacks, in words."""
    classes = classes_of(clips, labels)
    there_MK = truth_of(clips, classes, labels)
    groups = [clip.recording for clip in clips]
    found = {}
    for k, name in enumerate(classes):
        with_it = {g for g, there in zip(groups, there_MK[:, k], strict=True) if there}
        without = {g for g, there in zip(groups, there_MK[:, k], strict=True) if not there}
        if min(len(with_it), len(without)) < _LEAST:
            found[name] = (
                f"{name!r} is in clips of {counted(len(with_it), 'recording')}, and missing from "
                f"clips of {len(without)}"
            )
    return found
