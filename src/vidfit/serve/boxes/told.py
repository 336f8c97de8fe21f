"""What is told of frames: a table of those of a library, and all of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vidfit.boxes import Box, overlaps
from vidfit.serve.boxes.book import BookFrame, FrameBook, MaskRuns
from vidfit.serve.boxes.rows import DrawnBox, DrawnFrame, plain_box
from vidfit.serve.boxes.shelf import FramesOf
from vidfit.serve.values import CodedColumn, coded

RIGHT_OVERLAP = 0.5
"""From which overlap on a box is right."""


@dataclass(frozen=True, slots=True)
class FrameTable:
    """The frames of a library with boxes or masks, by columns, all of one length.

    ``clip`` is a clip of the frame's file. ``has_truth`` is whether it is known what is there;
    ``missed`` and ``false_alarms`` count boxes at the score that was asked for, by an overlap of
    half; they are 0 where no model answered, or nothing is known. ``found`` counts the boxes of a
    model at that score. ``consent`` is what the people agreed to whose faces are named. ``by`` is
    who changed or confirmed the frame last, if anybody did.
    """

    library: str
    classes: tuple[str, ...]
    has_answers: bool
    has_masks: bool
    has_truth: bool
    consent: str
    clip: CodedColumn
    name: CodedColumn
    frame: tuple[int, ...]
    seconds: tuple[float | None, ...]
    objects: tuple[int, ...]
    found: tuple[int, ...]
    missed: tuple[int, ...]
    false_alarms: tuple[int, ...]
    by: CodedColumn


@dataclass(frozen=True, slots=True)
class AnsweredBox:
    """A box that a model found, which has not learned from the frame's recording.

    ``score`` of a face is how alike it is to the person who is most alike. ``track`` is the number
    that it has in all frames of a video, where it was followed.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    score: float
    track: int | None


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """All that is known of a frame, in pixels.

    ``by`` is who changed or confirmed it last, or nobody. ``lease`` is the name to give it back
    under; ``holder`` is who else is at it, whose frame it is until they leave.
    """

    clip: str
    frame: int
    is_photo: bool
    boxes: tuple[DrawnBox, ...]
    found: tuple[AnsweredBox, ...]
    mask: MaskRuns | None
    by: str
    lease: str
    holder: str


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How many objects no box was found for, and how many boxes are of nothing."""

    missed: int
    false_alarms: int


def mistakes(objects: tuple[Box, ...], found: tuple[Box, ...], least: float) -> Mistakes:
    """Count what a model got wrong in a frame, by boxes of a score of ``least`` or more.

    The surest box takes the object of its class that it overlaps most. Boxes on objects that are
    to be ignored count as nothing.
    """
    sure = sorted((b for b in found if (b.score or 0.0) >= least), key=lambda b: -(b.score or 0.0))
    if not sure:
        return Mistakes(sum(not box.ignored for box in objects), 0)
    edges = [np.array([box.edges for box in boxes]).reshape(-1, 4) for boxes in (sure, objects)]
    over_SO = overlaps(*edges)
    same_SO = np.array([[s.label == o.label for o in objects] for s in sure], bool)
    over_SO = np.where(same_SO.reshape(over_SO.shape), over_SO, 0.0)
    free = np.array([not box.ignored for box in objects], bool)
    count, false = int(free.sum()), 0
    for over_O in over_SO:
        right = np.flatnonzero(free & (over_O >= RIGHT_OVERLAP))
        if len(right):
            free[right[over_O[right].argmax()]] = False
            count -= 1
        elif not any(o.ignored and x > 0 for o, x in zip(objects, over_O, strict=True)):
            false += 1
    return Mistakes(count, false)


def table_of(
    frames: FramesOf, drawn: Mapping[tuple[str, int], DrawnFrame], least: float
) -> FrameTable:
    """Return the frames of a library, those that people changed as they are now."""
    library, book = frames.library, frames.book
    shown = list(_shown(frames, drawn))
    places = [frames.first_of[one.path] for one, _ in shown]
    boxes = [one.objects if of is None else tuple(map(plain_box, of.boxes)) for one, of in shown]
    wrong = [
        mistakes(objects, one.found, least)
        if book.has_answers and book.has_truth
        else Mistakes(0, 0)
        for (one, _), objects in zip(shown, boxes, strict=True)
    ]
    return FrameTable(
        library.id,
        classes_of(book, drawn),
        book.has_answers,
        book.has_masks,
        book.has_truth,
        book.consent,
        coded(library.ids[place] for place in places),
        coded(_file_name(frames, place) for place in places),
        tuple(one.number for one, _ in shown),
        tuple(one.seconds for one, _ in shown),
        tuple(map(len, boxes)),
        tuple(sum((b.score or 0.0) >= least for b in one.found) for one, _ in shown),
        tuple(one.missed for one in wrong),
        tuple(one.false_alarms for one in wrong),
        coded(None if of is None else of.person for _, of in shown),
    )


def _shown(
    frames: FramesOf, drawn: Mapping[tuple[str, int], DrawnFrame]
) -> Iterator[tuple[BookFrame, DrawnFrame | None]]:
    """Yield the frames that are known, in the order of the library's files."""
    for file, path in frames.files.items():
        known = frames.book.frames.get(path, {})
        more = {number for of, number in drawn if of == file}
        for number in sorted({*known, *more}):
            yield frames.book.frame(path, number), drawn.get((file, number))


def _file_name(frames: FramesOf, place: int) -> str:
    """Return what the file of a clip is called, without the clip's start."""
    clip, name = frames.library.clips[place], frames.library.names[place]
    start = f" {clip.start_seconds:g} s" if clip.start_seconds else ""
    return name.removesuffix(start)


def classes_of(book: FrameBook, drawn: Mapping[tuple[str, int], DrawnFrame]) -> tuple[str, ...]:
    """Return all classes: those that are listed first."""
    given = (box.label for of in drawn.values() for box in of.boxes)
    listed = (
        box.label for of in book.frames.values() for one in of.values() for box in one.objects
    )
    return tuple(dict.fromkeys((*book.classes, *sorted({*listed, *given}))))


def answered(found: tuple[Box, ...]) -> tuple[AnsweredBox, ...]:
    """Return the boxes of a model, the surest first."""
    boxes = sorted(found, key=lambda box: -(box.score or 0.0))
    return tuple(AnsweredBox(b.label, *b.edges, b.score or 0.0, b.track) for b in boxes)
