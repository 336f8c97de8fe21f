"""The columns of a table of clips: their names, and what a row of them says."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.frames import seconds_of
from vidfit.manifest.names import split_word

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


def checked_columns(source: object, names: list[str]) -> dict[str, str]:
    """Return the columns by role.

    Raises
    ------
    ManifestError
        If none names the videos.
    """
    roles = find_columns(names)
    if "path" not in roles and "id" not in roles:
        raise ManifestError(
            f"{source} has the columns {', '.join(names) or '(none)'}; none names the videos. "
            f"Call that column one of: {', '.join(COLUMNS['path'])}."
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
    text = cells.get("text")
    return Clip(
        path=path,
        start_seconds=start,
        end_seconds=end,
        label=text_of(cells.get("label")),
        group=text_of(cells.get("group")),
        split=split,
        text=None if text is None or text == "" else str(text),
    )


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
