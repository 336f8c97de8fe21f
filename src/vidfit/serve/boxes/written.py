"""Boxes as files that `vidfit fit --task detect` and other tools read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Literal

from vidfit.boxes import LabelledFrame
from vidfit.manifest.annotations import Annotations
from vidfit.manifest.annotations.value import Files
from vidfit.manifest.annotations.write import WRITERS
from vidfit.serve.boxes.book import is_video_frame
from vidfit.serve.boxes.rows import DrawnFrame, plain_box
from vidfit.serve.boxes.shelf import FramesOf
from vidfit.serve.boxes.told import classes_of
from vidfit.serve.problems import ProblemError

BoxForm = Literal["csv", "coco", "cvat"]

MEDIA: Mapping[BoxForm, tuple[str, str]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "coco": ("json", "application/json"),
    "cvat": ("zip", "application/zip"),
}
"""Form -> ending and media type of its file."""


def written_boxes(
    frames: FramesOf, drawn: Mapping[tuple[str, int], DrawnFrame], form: BoxForm
) -> bytes:
    """Return the labelled frames of a library, those that people changed as they are now.

    Of videos in which a model found something, those that people changed alone.

    Raises
    ------
    ProblemError
        404 where there are none.
    """
    labelled = tuple(_labelled(frames, drawn))
    if not labelled:
        raise ProblemError(404, "no frame has boxes here yet")
    found = Annotations(labelled, form, classes_of(frames.book, drawn))
    files = WRITERS[form](found)
    if form == "cvat":  # a file for each video, and one for all pictures
        return _zipped(files)
    ((_, content),) = files
    return content


def _zipped(files: Files) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _labelled(
    frames: FramesOf, drawn: Mapping[tuple[str, int], DrawnFrame]
) -> Iterator[LabelledFrame]:
    for file, path in frames.files.items():
        known = frames.book.frames.get(path, {})
        clip = frames.library.clips[frames.first_of[path]]
        more = {number for of, number in drawn if of == file}
        known = known if frames.book.has_truth else {}  # what a model found nobody has looked at
        for number in sorted({*known, *more}):
            one, of = frames.book.frame(path, number), drawn.get((file, number))
            boxes = one.objects if of is None else tuple(map(plain_box, of.boxes))
            index = number if is_video_frame(path) else None
            yield LabelledFrame(path, index, boxes, one.size_pixels, clip.group, clip.split)
