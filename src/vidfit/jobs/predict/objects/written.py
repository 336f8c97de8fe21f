"""Objects of a video as files: one pass over its frames for each, written whole."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidfit.boxes import Box, LabelledFrame
from vidfit.documents import to_json
from vidfit.errors import VidfitError
from vidfit.files import new_file, write_whole
from vidfit.jobs.predict.looked import as_data
from vidfit.jobs.predict.objects.drawn import drawn_video
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.manifest.annotations import Annotations
from vidfit.manifest.annotations.coco import coco_document
from vidfit.manifest.annotations.mot import mot_files
from vidfit.manifest.cells import written_cell
from vidfit.report.data import json_text
from vidfit.tracking.events import EVENT_COLUMNS, TrackEvents, event_rows
from vidfit.tracking.filled import TrackedFrame

FORMAT = "vidfit.objects/1"
COLUMNS = ("frame", "seconds", "track", "label", "left", "top", "right", "bottom", "score")

ObjectWriter = Callable[[VideoObjects, Iterable[TrackedFrame], Path], None]


def objects_json(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write facts, tracks, and then a line for each frame that has boxes; see `framed_json`."""
    framed_json({"format": FORMAT, **as_data(objects)}, frames, path)


def framed_json(facts: Mapping[str, Any], frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write facts, and then a line for each frame that has boxes.

    A box is ``[track, left, top, right, bottom, score]``, in pixels; the score of a box that was
    filled in is ``null``.
    """
    head = json_text(facts).rstrip().removesuffix("}").rstrip()
    with new_file(path) as stream:
        stream.write(f'{head},\n "frames": ['.encode())
        following = "\n"
        for frame in frames:
            if frame.boxes:
                boxes = [[b.track, *_pixels(b.edges), _score(b.score)] for b in frame.boxes]
                row = {"frame": frame.index, "seconds": round(frame.seconds, 6), "boxes": boxes}
                stream.write(f"{following}  {to_json(row)}".encode())
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


def objects_coco(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write COCO with ``video_id`` and ``track_id``; only one frame is in memory at a time."""
    count, boxes = 0, 0
    with new_file(path) as stream, tempfile.TemporaryFile(dir=path.parent) as later:
        for part in _each(objects, frames, "COCO"):
            document, first = coco_document(part), not count
            count += 1
            (image,), found = document["images"], document["annotations"]
            if first:
                head = {name: document[name] for name in ("videos", "categories")}
                stream.write(f'{to_json(head)[:-1]},\n"images": ['.encode())
            stream.write(_row(image | {"id": count}, first))
            for box in found:
                boxes += 1
                later.write(_row(box | {"id": boxes, "image_id": count}, boxes == 1))
        stream.write(b'\n],\n"annotations": [')
        later.seek(0)
        shutil.copyfileobj(later, stream)
        stream.write(b"\n]}\n")


def _row(values: Mapping[str, object], first: bool) -> bytes:
    return f"{'' if first else ','}\n{to_json(values)}".encode()


def objects_mot(objects: VideoObjects, frames: Iterable[TrackedFrame], path: Path) -> None:
    """Write MOT's text: frames and edges from 1; the score of a box that was filled in is 1."""
    with new_file(path) as stream:
        for part in _each(objects, frames, "MOT"):
            _, lines = next(iter(mot_files(part)))
            stream.write(lines)


def _each(
    objects: VideoObjects, frames: Iterable[TrackedFrame], form: str
) -> Iterator[Annotations]:
    """Yield each frame as annotations of its own."""
    size = objects.video.width_pixels, objects.video.height_pixels
    for frame in frames:
        boxes = tuple(_to_hundredths(box) for box in frame.boxes)
        labelled = LabelledFrame(objects.video.path, frame.index, boxes, size)
        yield Annotations((labelled,), form, objects.classes)


def _to_hundredths(box: Box) -> Box:
    left, top, right, bottom = _pixels(box.edges)
    return replace(box, left=left, top=top, right=right, bottom=bottom)


def events_csv(events: TrackEvents, path: Path) -> None:
    """Write what was counted, a row an event, in the order of time."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(EVENT_COLUMNS)
    table.writerows([written_cell(cell) for cell in row] for row in event_rows(events))
    write_whole(path, text.getvalue().encode())


def _pixels(edges: Iterable[float]) -> list[float]:
    return [round(edge, 2) for edge in edges]


def _score(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


OBJECT_WRITERS: dict[str, tuple[str, ObjectWriter]] = {
    "json": (".json", objects_json),
    "csv": (".csv", objects_csv),
    "coco": (".coco.json", objects_coco),
    "mot": (".mot.txt", objects_mot),
    "mp4": (".mp4", drawn_video),
}
"""Format -> ending of its file, and what writes it."""


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
