"""Whether labels that are not one class can be both learned and tested."""

from __future__ import annotations

from collections.abc import Sequence

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.manifest import counted, refusal
from vidfit.tasks import Task

_LEAST, _NAMED = 2, 5


def testable(
    clips: Sequence[Clip], task: Task, notes: list[str], known: str, where: str
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
                f"{counted(len(clips), f'labelled {task.row}')}{where} of "
                f"{counted(len(recordings), 'recording')}; two recordings or more are needed, to "
                "learn from one and test on the other",
            )
        )
    kind = task.kind
    lacking = kind.lacking(clips)
    able = tuple(name for name in kind.classes(clips) if name not in lacking)
    said = "; ".join(list(lacking.values())[:_NAMED])
    more = len(lacking) - _NAMED
    said += f"; and {more} more classes" if more > 0 else ""
    if not able:
        consequence = f"nothing can be learned{where}: {said or f'no {task.row} has a class'}"
        raise NotEnoughDataError(refusal(known, f"{consequence}. {kind.needs}"))
    if lacking:
        notes.append(f"Not tested, and not learned: {said}. {kind.needs}.")
    return able
