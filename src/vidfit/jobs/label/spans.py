"""Which stretches of long videos to look at next: those that a model is least sure of.

What it answers stands in the list as a guess, with its times, for a person to correct. The rest
of a video stands there without a label: it is not labelled, and is no background.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.files import write_whole
from vidfit.jobs.label.answers import COLUMNS, TO_LABEL
from vidfit.jobs.label.value import Proposed
from vidfit.manifest.cells import written_cell
from vidfit.manifest.lists import read_list

_MARK = "\ufeff"

_AS_PROPOSED = ".to-label-as-proposed.csv"
"""What the list was before anybody corrected it."""


def propose_spans(
    timelines: Iterable[Timeline], known: Sequence[Clip], count: int
) -> list[Proposed]:
    """Return the segments that a model is least sure of, in turns over the videos.

    Parameters
    ----------
    timelines
        Answers whose windows have the scores of all classes.
    known
        Spans that have a label: a segment is not proposed where one begins or ends in it, or
        covers it.
    """
    turns = [_least_sure(one, [c for c in known if c.path == one.path]) for one in timelines]
    ranked = [
        (turn, margin, proposed)
        for of_video in turns
        for turn, (margin, proposed) in enumerate(of_video)
    ]
    ranked.sort(key=lambda one: one[:2])
    return [proposed for _, _, proposed in ranked[:count]]


def _least_sure(timeline: Timeline, known: Sequence[Clip]) -> list[tuple[float, Proposed]]:
    """Return the segments of a video with the margin of each, the smallest first."""
    found = []
    for segment in timeline.segments:
        if segment.scores and not any(_overlap(segment, clip) for clip in known):
            first, second = np.argsort(segment.scores)[::-1][:2]
            margin = segment.scores[first] - segment.scores[second]
            why = (
                f"{timeline.classes[first]} {segment.scores[first]:.0%}, "
                f"{timeline.classes[second]} {segment.scores[second]:.0%}"
            )
            clip = Clip(timeline.path, segment.start_seconds, segment.end_seconds, segment.label)
            found.append((margin, Proposed(clip, "margin", why)))
    return sorted(found, key=lambda one: one[0])


def _overlap(segment: Segment, clip: Clip) -> bool:
    end = np.inf if clip.end_seconds is None else clip.end_seconds
    return segment.start_seconds < end and clip.start_seconds < segment.end_seconds


def write_spans(proposed: Sequence[Proposed], timelines: Sequence[Timeline], output: Path) -> Path:
    """Write the list to correct, whole or not at all, and return its path."""
    text = io.StringIO()
    text.write(_MARK)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for rank, one in enumerate(proposed, 1):
        clip = one.clip
        row = (written_cell(clip.path), written_cell(clip.label or ""), *_times(clip))
        table.writerow((*row, "", rank, one.method, written_cell(one.why)))
    for timeline in timelines:
        spans = [one.clip for one in proposed if one.clip.path == timeline.path]
        for clip in _between(timeline, spans) if spans else ():
            rest = "not proposed: no label"
            table.writerow((written_cell(clip.path), "", *_times(clip), "", "", "", rest))
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / _AS_PROPOSED, text.getvalue().encode())
    return write_whole(output / TO_LABEL, text.getvalue().encode())


def unchanged(answers: Sequence[Clip], output: Path) -> int:
    """Return how many labelled spans stand as the model answered them, right or overlooked."""
    path = output / _AS_PROPOSED
    if not path.is_file():
        return 0
    proposed = {_said(clip) for clip in read_list(path.absolute()).clips}
    return sum(clip.label is not None and _said(clip) in proposed for clip in answers)


def _said(clip: Clip) -> tuple[str, str | None, str, str]:
    return clip.path, clip.label, *_times(clip)


def _times(clip: Clip) -> tuple[str, str]:
    return f"{clip.start_seconds:.3f}", f"{clip.end_seconds or 0.0:.3f}"


def _between(timeline: Timeline, spans: Sequence[Clip]) -> Iterator[Clip]:
    """Yield the time of a video that no span covers."""
    until = 0.0
    for span in sorted(spans, key=lambda one: one.start_seconds):
        if span.start_seconds > until + 1e-3:
            yield Clip(timeline.path, until, span.start_seconds)
        until = max(until, span.end_seconds or 0.0)
    if timeline.duration_seconds > until + 1e-3:
        yield Clip(timeline.path, until, timeline.duration_seconds)


def check_not_replaced(output: Path, answers: Path | None) -> None:
    """Refuse to replace a list that may hold corrections that nobody has read.

    Raises
    ------
    ManifestError
        If there is such a list, and it was not given.
    """
    path = output / TO_LABEL
    if path.exists() and (answers is None or answers.resolve() != path.resolve()):
        raise ManifestError(
            f"{path} would be replaced, and may hold corrections. Pass it with --answers {path}, "
            "or move it away"
        )
