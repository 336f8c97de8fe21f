"""Objects of a video as files: one pass over its frames for each, written whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.files import new_file
from vidfit.jobs.predict.objects.drawn import drawn_video
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.manifest.cells import written_cell
from vidfit.report.data import json_text
from vidfit.tracking.filled import TrackedFrame

FORMAT = "vidfit.objects/1"
COLUMNS = ("frame", "seconds", "track", "label", "left", "top", "right", "bottom", "score")

ObjectWriter = Callable[[VideoObjects, Iterable[TrackedFrame], Path], None]


def objects_json(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write facts, tracks, and then a line for each frame that has boxes.

    A box is ``[track, left, top, right, bottom, score]``, in pixels; the score of a box that was
    filled in is ``null``.
    """
    head = json_text({"format": FORMAT, **asdict(objects)}).rstrip().removesuffix("}").rstrip()
    with new_file(path) as stream:
        stream.write(f'{head},\n "frames": ['.encode())
        following = "\n"
        for frame in frames:
            if frame.boxes:
                boxes = [[b.track, *_pixels(b.edges), _score(b.score)] for b in frame.boxes]
                row = {"frame": frame.index, "seconds": round(frame.seconds, 6), "boxes": boxes}
                stream.write(f"{following}  {json.dumps(row)}".encode())
                following = ",\n"
        stream.write(b"\n ]\n}\n")


def objects_csv(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write a row for each box; a box that was filled in has no score."""
    with new_file(path) as stream:
        for line in _lines(frames):
            stream.write(line.encode())


def _lines(frames: Iterable[TrackedFrame]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for frame in frames:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        for box in frame.boxes:
            score = "" if box.score is None else f"{box.score:.4f}"
            edges = (f"{edge:.2f}" for edge in box.edges)
            label = written_cell(box.label)
            table.writerow((frame.index, f"{frame.seconds:.3f}", box.track, label, *edges, score))
        yield text.getvalue()


def _pixels(edges: Iterable[float]) -> list[float]:
    return [round(edge, 2) for edge in edges]


def _score(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


OBJECT_WRITERS: dict[str, ObjectWriter] = {
    "json": objects_json,
    "csv": objects_csv,
    "mp4": drawn_video,
}
"""Format -> what writes it."""


def check_formats(formats: Iterable[str]) -> None:
    """Refuse formats that no objects are written in.

    Raises
    ------
    VidfitError
        Names those that are valid.
    """
    for name in formats:
        if name not in OBJECT_WRITERS:
            valid = ", ".join(OBJECT_WRITERS)
            raise VidfitError(f"there is no format {name!r} of objects; valid are {valid}")
