"""People of a video as files, written whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.contracts import Seconds
from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.jobs.predict.looked import as_data
from vidfit.jobs.predict.objects.drawn import drawn_video
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.jobs.predict.objects.written import framed_json
from vidfit.jobs.predict.people.seen import FACE, SeenFaces, tracked_again
from vidfit.jobs.predict.people.value import VideoPeople
from vidfit.manifest.cells import written_cell
from vidfit.tasks.faces.kind import UNKNOWN
from vidfit.tracking.filled import TrackedFrame

FORMAT = "vidfit.people/1"
COLUMNS = (
    "start_seconds", "end_seconds", "name", "track", "similarity", "over", "looks", "consent",
)  # fmt: skip

CLUSTERS = "faces"
"""The format that is a folder of the faces that nobody is known by."""


@dataclass(frozen=True)
class ToWrite:
    """The people of one video, and what their boxes are drawn from."""

    people: VideoPeople
    seen: SeenFaces
    pts_seconds_F: Seconds


def people_json(found: ToWrite, path: Path) -> None:
    """Write facts and tracks, and where the faces are in each frame; no numbers of faces."""
    framed_json({"format": FORMAT, **as_data(found.people)}, _frames(found), path)


def people_csv(found: ToWrite, path: Path) -> None:
    """Write a row for each track: from when to when who is seen."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    consent = written_cell(found.people.consent)
    for one in sorted(found.people.tracks, key=lambda track: track.start_seconds):
        times = f"{one.start_seconds:.3f}", f"{one.end_seconds:.3f}"
        figures = f"{one.similarity:.4f}", f"{one.over:.4f}"
        table.writerow((*times, written_cell(one.name), one.track, *figures, one.looks, consent))
    write_whole(path, text.getvalue().encode())


def people_video(found: ToWrite, path: Path) -> None:
    """Write the video again with a box and a name for each face."""
    people = found.people
    objects = VideoObjects(people.video, "", (FACE,), (), ())
    drawn_video(objects, _with_names(_frames(found), people), path)


def _frames(found: ToWrite) -> Iterable[TrackedFrame]:
    video = found.people.video
    span = video.first_frame, video.last_frame
    return tracked_again(found.seen, found.pts_seconds_F, span)


def _with_names(frames: Iterable[TrackedFrame], people: VideoPeople) -> Iterator[TrackedFrame]:
    names = {track.track: track.name for track in people.tracks}
    for frame in frames:
        boxes = tuple(replace(b, label=names.get(b.track or 0, UNKNOWN)) for b in frame.boxes)
        yield replace(frame, boxes=boxes)


PEOPLE_WRITERS: dict[str, Callable[[ToWrite, Path], None]] = {
    "json": people_json,
    "csv": people_csv,
    "mp4": people_video,
}
"""Format -> what writes it for each video."""


def check_formats(formats: Iterable[str]) -> None:
    """Refuse formats that no people are written in.

    Raises
    ------
    VidfitError
        Names those that are valid.
    """
    for name in formats:
        if name not in {*PEOPLE_WRITERS, CLUSTERS}:
            valid = ", ".join([*PEOPLE_WRITERS, CLUSTERS])
            raise VidfitError(f"people are not written as {name!r}; valid are {valid}")
