"""Boxes in the text of MOTChallenge: ``frame,id,x,y,w,h,flag,class,visibility``.

Milan et al. (2016), MOT16: A Benchmark for Multi-Object Tracking. Frames, and the pixel in the
corner, count from 1. A sequence is labelled as a whole: each of its frames was looked at.
"""

from __future__ import annotations

import configparser
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vidfit.boxes import Box, LabelledFrame
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, number, plain, size_of, whole
from vidfit.manifest.annotations.named import names_of
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files

FORM = "MOT"
CLASSES = (
    "pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non motorized vehicle",
    "static person", "distractor", "occluder", "occluder on the ground", "occluder full",
    "reflection", "crowd",
)  # fmt: skip
"""Of MOT16 and later, from 1; MOT15 has pedestrians only, and no column for them."""

_COLUMNS = range(6, 11)
_WITH_CLASS = (8, 9)
"""In rows of ten columns, as those of MOT15, the last three are a place in the world."""


@dataclass(frozen=True)
class SequenceFacts:
    """What ``seqinfo.ini`` says of a sequence.

    Parameters
    ----------
    video
        Its file, which vidfit writes; others name the folder of its ``pictures``.
    frames
        How many it has.
    """

    name: str | None = None
    video: str | None = None
    pictures: str | None = None
    frames: int | None = None
    size_pixels: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A box as it is written, from 0; ``flag`` is a score or whether it counts."""

    line: int
    index: int
    label: str
    edges: tuple[float, float, float, float]
    flag: float
    track: int | None


def is_mot(lines: Sequence[str]) -> bool:
    """Return whether most of the first lines of a text are rows of MOT."""
    rows = [line.replace(" ", "").split(",") for line in lines[:20] if line.strip()]
    sound = [cells for cells in rows if all(map(_is_number, cells[:6]))]
    return len(sound) * 2 >= len(rows) > 0 and len(sound[0]) in _COLUMNS


def _is_number(cell: str) -> bool:
    return cell.strip("+-").replace(".", "", 1).replace("e", "", 1).replace("-", "", 1).isdecimal()


def parse_facts(text: str, name: str) -> SequenceFacts:
    """Read ``seqinfo.ini``.

    Raises
    ------
    ManifestError
        If it has no section ``[Sequence]``, or numbers that are none.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        found = parser["Sequence"]
        frames = found.get("seqLength")
        return SequenceFacts(
            found.get("name"),
            found.get("video"),
            found.get("imDir"),
            frame_index(frames, "its seqLength", text=True) if frames else None,
            size_of(found.get("imWidth"), found.get("imHeight"), text=True),
        )
    except (configparser.Error, KeyError, ValueError) as error:
        raise ManifestError(f"{name} is no seqinfo.ini of MOT ({error})") from error


def parse_mot(
    text: str,
    name: str,
    video: str,
    classes: Sequence[str] = CLASSES,
    facts: SequenceFacts = SequenceFacts(),
    sizes: Sizes = unknown,
) -> Annotations:
    """Read boxes of one video.

    Where the seventh column holds other numbers than 0 and 1 it is a score, else a flag: 0 is an
    object to ignore. Scores beyond 0 to 1 are scaled to it, and that is noted.

    Parameters
    ----------
    video
        What the frames are of.
    classes
        Names by number, from 1.

    Raises
    ------
    ManifestError
        If there are no classes, or nothing can be used.
    """
    if not classes:
        raise ManifestError(f"{name}: the labels.txt beside it names no class; give one a line")
    rows = BoxRows(name, FORM, sizes, list(classes) if classes is not CLASSES else [])
    found, broken = _rows(rows, text, classes)
    indices = [row.index for row in found] + [index for _, index, _ in broken]
    last = max([*indices, (facts.frames or 0) - 1], default=-1)
    for index in range(last + 1):
        rows.see(video, index, size_pixels=facts.size_pixels)
    for line, index, reason in broken:
        rows.reject(rows.at(line), reason, (video, index))
    scored = any(row.flag not in (0, 1) for row in found)
    for row in _in_range(rows, found) if scored else found:
        score = row.flag if scored else None
        ignored = not scored and row.flag == 0
        box = Box(row.label, *row.edges, score, row.track, ignored)
        rows.add(rows.at(row.line), (video, row.index), box)
    return rows.result()


def _rows(
    rows: BoxRows, text: str, classes: Sequence[str]
) -> tuple[list[_Row], list[tuple[int, int, str]]]:
    """Return the rows, and line, frame and fault of those of which only the frame is known."""
    found: list[_Row] = []
    broken: list[tuple[int, int, str]] = []
    for line, text_ in enumerate(text.splitlines(), 1):
        if not text_.strip():
            continue
        cells = text_.split(",")
        try:
            index = frame_index(cells[0].strip(), "its frame", text=True, first=1)
        except ValueError as error:
            rows.reject(rows.at(line), str(error))
            continue
        try:
            found.append(_row(line, index, [cell.strip() for cell in cells], classes))
        except ValueError as error:
            broken.append((line, index, str(error)))
    return found, broken


def _row(line: int, index: int, cells: list[str], classes: Sequence[str]) -> _Row:
    if len(cells) not in _COLUMNS:
        raise ValueError(f"it has {len(cells)} columns; valid is frame,id,x,y,w,h,flag,…")
    names = ("its x", "its y", "its w", "its h")
    sides = [number(cell, what, text=True) for cell, what in zip(cells[2:6], names, strict=True)]
    track = number(cells[1], "its id", text=True)
    left, top = sides[0] - 1, sides[1] - 1
    return _Row(
        line,
        index,
        _label(cells, classes),
        (left, top, left + sides[2], top + sides[3]),
        number(cells[6], "its flag", text=True) if len(cells) > 6 else 1.0,
        whole(track, "its id") if track >= 0 else None,
    )


def _label(cells: list[str], classes: Sequence[str]) -> str:
    if len(cells) not in _WITH_CLASS or float(cells[7]) == -1:
        return classes[0]
    number_ = whole(cells[7], "its class", text=True, least=1)
    if number_ > len(classes):
        raise ValueError(f"its class is {number_}; there are {len(classes)}")
    return classes[number_ - 1]


def _in_range(rows: BoxRows, found: Iterable[_Row]) -> list[_Row]:
    """Return rows whose scores are 0 to 1."""
    listed = list(found)
    least = min((row.flag for row in listed), default=0.0)
    most = max((row.flag for row in listed), default=1.0)
    if least >= 0 and most <= 1:
        return listed
    rows.note(rows.name, f"scores of {least:g} to {most:g} are scaled to 0 to 1, in their order")
    return [replace(row, flag=(row.flag - least) / (most - least or 1)) for row in listed]


# ---------------------------------------------------------------- writing


def mot_files(annotations: Annotations) -> Files:
    """Yield ``NAME/gt/gt.txt``, or ``NAME/det/det.txt`` of boxes with scores, for each video.

    Beside it stand ``labels.txt``, the names of classes, and ``seqinfo.ini``.

    Raises
    ------
    ManifestError
        If there are photos, which are no sequence.
    """
    of_video: dict[str, list[LabelledFrame]] = defaultdict(list)
    for frame in annotations.frames:
        if frame.index is None:
            raise ManifestError(f"MOT holds videos, and {frame.path} is a photo; choose coco")
        of_video[frame.path].append(frame)
    numbers = {name: number_ for number_, name in enumerate(annotations.classes, 1)}
    for video, name in names_of(of_video).items():
        frames = of_video[video]
        scored = any(box.score is not None for frame in frames for box in frame.boxes)
        lines = [_line(frame, box, numbers) for frame in frames for box in frame.boxes]
        kind = "det" if scored else "gt"
        yield f"{name}/{kind}/{kind}.txt", "".join(lines).encode()
        yield f"{name}/{kind}/labels.txt", "".join(f"{c}\n" for c in numbers).encode()
        yield f"{name}/seqinfo.ini", _facts(video, name, frames).encode()


def _line(frame: LabelledFrame, box: Box, numbers: dict[str, int]) -> str:
    sides = (box.left + 1, box.top + 1, box.right - box.left, box.bottom - box.top)
    track = -1 if box.track is None else box.track
    flag = plain(float(not box.ignored) if box.score is None else box.score)
    cells = [(frame.index or 0) + 1, track, *map(plain, sides), flag, numbers[box.label], 1]
    return ",".join(map(str, cells)) + "\n"


def _facts(video: str, name: str, frames: Sequence[LabelledFrame]) -> str:
    size = next((frame.size_pixels for frame in frames if frame.size_pixels), None)
    last = max((frame.index or 0) for frame in frames)
    lines = ["[Sequence]", f"name={name}", f"video={video}", f"seqLength={last + 1}"]
    lines += [f"imWidth={size[0]}", f"imHeight={size[1]}"] if size else []
    return "\n".join(lines) + "\n"
