"""The columns of a table of clips: their names, and what a row of them says."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache

from vidfit.contracts import Clip, Seconds
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import joined
from vidfit.manifest.names import split_word
from vidfit.video import VideoReader

COLUMNS = {
    "path": (
        *("path", "file", "video", "filename", "filepath", "file_path", "video_path"),
        *("file_name", "video_name"),
    ),
    "id": ("youtube_id", "ytid", "video_id"),
    "label": ("label", "class", "category", "class_name", "label_name", "action", "choice"),
    "group": ("group", "recording", "source", "recording_id", "group_id"),
    "split": ("split", "subset", "partition"),
    "start": ("start_seconds", "start", "start_time", "time_start", "start_timestamp", "start_s"),
    "end": (
        *("end_seconds", "end", "end_time", "time_end", "end_timestamp", "end_s"),
        *("stop_seconds", "stop", "stop_time", "stop_timestamp"),
    ),
    "start_frame": ("start_frame", "frame_start"),
    "end_frame": ("end_frame", "stop_frame", "frame_end"),
    "text": ("text", "caption", "transcript"),
}
"""The columns that are read, with the names that each may have; the first found is used."""

Cells = Mapping[str, object]
"""What a row says, by role."""


def find_columns(names: list[str]) -> dict[str, str]:
    """Return the column that plays each role, whatever its case, spaces and hyphens.

    An id counts where no column names files, frames where no column gives seconds.
    """
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in names[::-1]}
    roles = {}
    for role, accepted in COLUMNS.items():
        found = [plain[name] for name in accepted if name in plain]
        if found:
            roles[role] = found[0]
    if "path" in roles:
        roles.pop("id", None)
    if {"start", "end"} & roles.keys():
        roles.pop("start_frame", None)
        roles.pop("end_frame", None)
    return roles


NUMBERS = ("value", "score")
"""Columns that hold a number a clip, where all of it are numbers and none holds a label."""

CLASS = "class:"
"""What the role of a column begins with that says whether a class is there."""

_THERE = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def labelled_columns(roles: Mapping[str, str], some: Sequence[Cells]) -> dict[str, str]:
    """Return columns with labels where none is called a label: of classes, or of a number.

    Two columns or more that hold 0 and 1 only name a class each; else a column that is called
    ``value`` or ``score`` and holds numbers only is the label.

    Parameters
    ----------
    roles
        Columns that play no other role, each in the role ``class:NAME``.
    some
        What some of the rows say of them.
    """
    held = {role: [text_of(cells.get(role)) for cells in some] for role in roles}
    marks = {role: name for role, name in roles.items() if some and all(map(_is_mark, held[role]))}
    if len(marks) > 1:
        return marks
    for role, name in roles.items():
        called = name.strip().lower() in NUMBERS
        if called and some and all(text and is_number(text) for text in held[role]):
            return {"label": name}
    return {}


def is_number(text: str) -> bool:
    """Return whether a text is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_mark(text: str | None) -> bool:
    return text is not None and text.lower() in _THERE


def _marked(cells: Cells) -> str | None:
    """Return the text of the classes that columns of 0 and 1 mark; ``None`` without columns."""
    marks = {role: text_of(cell) for role, cell in cells.items() if role.startswith(CLASS)}
    if not marks:
        return None
    for role, text in marks.items():
        if not _is_mark(text):
            raise ValueError(f"its {role.removeprefix(CLASS)!r} is {text!r}; valid are 0 and 1")
    return joined(r.removeprefix(CLASS) for r, text in marks.items() if _THERE[str(text).lower()])


def checked_columns(source: object, names: list[str]) -> dict[str, str]:
    """Return the columns by role.

    Raises
    ------
    ManifestError
        If none names the videos, or one says where spans end and none where they start.
    """
    roles = find_columns(names)
    if "path" not in roles and "id" not in roles and "text" in roles:  # words are all there is
        return {role: roles[role] for role in ("text", "label", "group", "split") if role in roles}
    if "path" not in roles and "id" not in roles:
        raise ManifestError(
            f"{source} has the columns {', '.join(names) or '(none)'}; none names the videos. "
            f"Call that column one of: {', '.join(COLUMNS['path'])}."
        )
    for begins, ends in (("start", "end"), ("start_frame", "end_frame")):
        if ends in roles and begins not in roles:
            raise ManifestError(
                f"{source} has the column {roles[ends]!r} and none that says where spans start. "
                f"Call that column one of: {', '.join(COLUMNS[begins])}."
            )
    return roles


def clip_of(path: str, cells: Cells, split: str | None) -> Clip:
    """Build the clip of one row; a ValueError says what is wrong with it."""
    start, end = _span(path, cells)
    if end is not None and end <= start:
        raise ValueError(f"ends at {end:g} s, not after its start at {start:g} s")
    named = text_of(cells.get("split"))
    if named is not None:
        split = split_word(named)
        if split is None:
            raise ValueError(f"its split {named!r} is none of train, val, test")
    text, marked = cells.get("text"), _marked(cells)
    return Clip(
        path=path,
        start_seconds=start,
        end_seconds=end,
        label=_shared(text_of(cells.get("label")) if marked is None else marked),
        group=_shared(text_of(cells.get("group"))),
        split=split,
        text=None if text is None or text == "" else str(text),
    )


def _shared(name: str | None) -> str | None:
    """Return the one text that all clips of a label, or of a recording, hold."""
    return None if name is None else sys.intern(name)


def text_of(value: object) -> str | None:
    """Return a cell as stripped text; an empty cell (or NaN, as pandas writes) is missing."""
    if value is None or value != value:
        return None
    return str(value).strip() or None


def parse_seconds(value: object) -> float | None:
    """Read seconds, ``MM:SS`` or ``HH:MM:SS``, with decimal point or comma; ``None`` when empty.

    Raises
    ------
    ValueError
        If it is no time, or negative.
    """
    text = text_of(value)
    if text is None:
        return None
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    parts = [float(part) for part in text.split(":")]
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    if not math.isfinite(seconds) or min(parts) < 0:
        raise ValueError(f"{text!r} is no time of at least 0 seconds")
    return seconds


def _span(path: str, cells: Cells) -> tuple[float, float | None]:
    first, last = _frame(cells.get("start_frame")), _frame(cells.get("end_frame"))
    if first is not None or last is not None:
        return seconds_of(path, first, last)
    return parse_seconds(cells.get("start")) or 0.0, parse_seconds(cells.get("end"))


def _frame(value: object) -> int | None:
    text = text_of(value)
    number = None if text is None else float(text)
    if number is not None and not number.is_integer():
        raise ValueError(f"{text!r} is no number of a frame")
    return None if number is None else int(number)


def seconds_of(path: str, start: int | None, end: int | None) -> tuple[float, float | None]:
    """Return the span from frame ``start`` up to, and without, frame ``end``, in seconds.

    Frames count from 0; times are the timestamps of the video.

    Raises
    ------
    ValueError
        If the video has no such frames, or cannot be read.
    """
    try:
        pts_seconds = _times(path)
    except VideoError as error:
        why = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"its frames cannot be counted: {why}") from error
    count = len(pts_seconds)
    first, last = start or 0, count if end is None else end
    if not 0 <= first < last <= count:
        raise ValueError(f"frames {first} to {last} are asked for, and the video has {count}")
    return float(pts_seconds[first]), None if last == count else float(pts_seconds[last])


@lru_cache(maxsize=4)  # rows of one video mostly stand together
def _times(path: str) -> Seconds:
    with VideoReader(path) as reader:
        return reader.pts_seconds
