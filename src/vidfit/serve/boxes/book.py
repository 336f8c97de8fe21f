"""What is known of frames beside what people drew: objects that are listed, and answers.

Of a list they are its labelled frames; of a run those that its model was judged by, with the
answers of a model that has not seen their recording (``answers.json``).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidfit.boxes import Box, LabelledFrame
from vidfit.contracts import Clip
from vidfit.documents import read_json
from vidfit.errors import ManifestError
from vidfit.manifest.annotations import Annotations
from vidfit.manifest.annotations.media import Media, located
from vidfit.manifest.annotations.read import parse_annotations
from vidfit.serve.boxes.found import answers_in, found_video
from vidfit.serve.library import clip_ids
from vidfit.video.names import is_photo

ANSWERS = "answers.json"
_FORMAT = "vidfit.answers/1"

_TOLD_BY = ("gt/gt.txt", "gt.txt", "*/gt/gt.txt", "*/gt.txt", "data.yaml", "Annotations")
"""What a folder of boxes holds; others are not searched for them."""

_FILES = (".csv", ".json", ".xml", ".txt")


@dataclass(frozen=True, slots=True)
class MaskRuns:
    """Classes of the places of a picture, by rows of a grid.

    Runs are how many places, then the number of their class, and so on; 255 is of none.
    """

    rows: int
    columns: int
    objects: tuple[int, ...]
    found: tuple[int, ...]


@dataclass(frozen=True)
class BookFrame:
    """One frame: ``objects`` in pixels, what was ``found`` there, and its ``mask``."""

    path: str
    number: int
    seconds: float | None = None
    size_pixels: tuple[int, int] | None = None
    objects: tuple[Box, ...] = ()
    found: tuple[Box, ...] = ()
    mask: MaskRuns | None = None


@dataclass(frozen=True)
class FrameBook:
    """The frames of a library.

    Parameters
    ----------
    classes
        Of boxes or masks, in their order.
    frames
        By file, then by number.
    has_answers
        Whether a model said what it finds there.
    has_truth
        Whether what is there is known, so that answers are right or wrong.
    consent
        To what the people agreed whose names are told.
    """

    classes: tuple[str, ...] = ()
    frames: Mapping[str, Mapping[int, BookFrame]] = field(default_factory=dict)
    has_answers: bool = False
    has_masks: bool = False
    has_truth: bool = True
    consent: str = ""

    def frame(self, path: str, number: int) -> BookFrame:
        """Return a frame; one that nothing is known of holds nothing."""
        return self.frames.get(path, {}).get(number) or BookFrame(path, number)


def file_id(path: str) -> str:
    """Return the id of the whole file of a clip: boxes are kept by it, and a frame's number."""
    (found,) = clip_ids([Clip(path)])
    return found


def listed_id(file: str, frame: int, place: int) -> str:
    """Return the id of a listed box, by its place in its frame."""
    return hashlib.sha256(f"{file}\0{frame}\0{place}".encode()).hexdigest()[:32]


# ---------------------------------------------------------------- lists


class _Unopened(Media):
    """Pictures and videos that are not opened to ask their size: the server decodes nothing."""

    def size_pixels(self, name: str) -> tuple[int, int] | None:
        """Return that it is not known."""
        return None

    def frame_count(self, name: str) -> int | None:
        """Return that it is not known."""
        return None


def boxes_in(source: Path) -> Annotations | None:
    """Return the labelled frames of a file or folder; ``None`` where it has none."""
    if source.is_dir():
        if not any(next(source.glob(name), None) for name in _TOLD_BY):
            return None
    elif source.suffix.lower() not in _FILES:
        return None
    media = _Unopened(source if source.is_dir() else source.parent)
    try:
        return located(parse_annotations(source, media), media)
    except (ManifestError, UnicodeError):
        return None


def listed_book(found: Annotations) -> FrameBook:
    """Return labelled frames by file and number."""
    frames = (
        BookFrame(one.path, one.index or 0, None, one.size_pixels, one.boxes)
        for one in found.frames
    )
    return FrameBook(found.classes, _by_file(frames))


def clips_of(found: Annotations) -> tuple[Clip, ...]:
    """Return each file that labelled frames are of, as a clip."""
    first: dict[str, LabelledFrame] = {}
    for one in found.frames:
        first.setdefault(one.path, one)
    return tuple(Clip(path, group=one.group, split=one.split) for path, one in first.items())


# ---------------------------------------------------------------- runs


def answered_book(path: Path) -> FrameBook:
    """Read the answers of a run.

    Raises
    ------
    ManifestError
        If they are damaged.
    """
    try:
        document = read_json(path)
        if document["format"] != _FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {_FORMAT}")
        classes = tuple(map(str, document["classes"]))
        frames = [_frame(row) for row in document["frames"]]
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ManifestError(f"{path} holds no answers: {error}; run `vidfit fit` again") from error
    return FrameBook(classes, _by_file(frames), True, any(one.mask for one in frames))


def found_book(folder: Path) -> FrameBook:
    """Read what `vidfit predict` found in videos; answers that are damaged are left out."""
    videos = []
    for path in answers_in(folder):
        with suppress(ManifestError):
            videos.append(found_video(path))
    frames = (
        BookFrame(video.path, number, seconds, video.size_pixels, (), boxes)
        for video in videos
        for number, seconds, boxes in video.frames
    )
    classes = dict.fromkeys(name for video in videos for name in video.classes)
    consent = "; ".join(dict.fromkeys(video.consent for video in videos if video.consent))
    return FrameBook(
        tuple(classes), _by_file(frames), has_answers=True, has_truth=False, consent=consent
    )


def _frame(row: Mapping[str, Any]) -> BookFrame:
    place = str(row["path"]), int(row["frame"]), float(row["seconds"])
    if "grid" in row:
        rows, columns = map(int, row["grid"])
        runs = (tuple(map(int, row[name])) for name in ("objects", "found"))
        return BookFrame(*place, (columns, rows), mask=MaskRuns(rows, columns, *runs))
    wide, high = map(int, row["size_pixels"])
    objects = (_box(values, ignored=bool(values[5])) for values in row["objects"])
    found = (_box(values, score=float(values[5])) for values in row["found"])
    return BookFrame(*place, (wide, high), tuple(objects), tuple(found))


def _box(values: Iterable[Any], score: float | None = None, *, ignored: bool = False) -> Box:
    label, left, top, right, bottom, _ = values
    edges = float(left), float(top), float(right), float(bottom)
    return Box(str(label), *edges, score=score, ignored=ignored)


def _by_file(frames: Iterable[BookFrame]) -> Mapping[str, Mapping[int, BookFrame]]:
    found: dict[str, dict[int, BookFrame]] = defaultdict(dict)
    for one in frames:
        found[one.path][one.number] = one
    return {path: dict(sorted(of.items())) for path, of in found.items()}


def is_video_frame(path: str) -> bool:
    """Return whether a frame has a number: that of a photo has none."""
    return not is_photo(Path(path))
