"""Boxes in a CSV: ``path,frame,label,x,y,w,h``, a row for each box.

Frames count from 0; without a column ``frame``, or an empty cell in it, it is a photo. A row whose
label and numbers are empty is a frame that was looked at and holds nothing. Of the other columns,
``track``, ``score``, ``ignored``, ``width``, ``height``, ``group`` and ``split`` are known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from vidfit.boxes import Box
from vidfit.errors import ManifestError
from vidfit.manifest.annotations.checked import frame_index, number, plain, size_of, whole
from vidfit.manifest.annotations.rows import BoxRows, Sizes, unknown
from vidfit.manifest.annotations.value import Annotations, Files, Key
from vidfit.manifest.cells import read_cell, written_cell
from vidfit.manifest.names import is_video, split_word

FORM = "CSV of boxes"
_NEEDED = ("path", "label", "x", "y", "w", "h")
_KNOWN = ("frame", "track", "score", "ignored", "width", "height", "group", "split")
_BOX = ("label", "x", "y", "w", "h")

Cells = dict[str, str]


def is_table(lines: Sequence[str]) -> bool:
    """Return whether the first line of a text names the columns of a table of boxes."""
    return bool(lines) and set(_NEEDED) <= set(_names(lines[0]))


def _names(line: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=_between(line)), [])
    except csv.Error:  # a cell that is too long
        return []
    return [cell.strip().lower() for cell in cells]


def _between(line: str) -> str:
    return max(",;\t", key=line.count)


def parse_table(text: str, name: str, sizes: Sizes = unknown) -> Annotations:
    """Read boxes.

    Raises
    ------
    ManifestError
        If columns are missing, or nothing can be used.
    """
    lines = text.splitlines(keepends=True)
    columns = _names(lines[0]) if lines else []
    if missing := [column for column in _NEEDED if column not in columns]:
        raise ManifestError(
            f"{name} has no column {', '.join(missing)}; valid is {','.join(_NEEDED)}, and "
            f"{', '.join(_KNOWN)} if they are known"
        )
    rows = BoxRows(name, FORM, sizes)
    reader = csv.reader(lines[1:], delimiter=_between(lines[0]))
    try:
        for cells in reader:
            where = rows.at(reader.line_num + 1)
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                rows.reject(where, f"has {len(cells)} columns, {len(columns)} expected")
                continue
            pairs = zip(columns, cells, strict=True)
            _add(rows, where, {column: read_cell(cell).strip() for column, cell in pairs})
    except csv.Error as error:
        raise ManifestError(f"{name} cannot be read as a table ({error})") from error
    return rows.result()


def _add(rows: BoxRows, where: str, cells: Cells) -> None:
    try:
        key = _see(rows, cells)
    except ValueError as error:
        rows.reject(where, str(error))
        return
    if not any(cells[column] for column in _BOX):
        return
    try:
        rows.add(where, key, _box(cells))
    except ValueError as error:
        rows.reject(where, str(error), key)


def _see(rows: BoxRows, cells: Cells) -> Key:
    if not cells["path"]:
        raise ValueError("it has no path")
    index = cells.get("frame", "")
    if not index and is_video(cells["path"]):
        raise ValueError(f"{cells['path']!r} is a video, and no frame of it is named")
    return rows.see(
        cells["path"],
        frame_index(index, "its frame", text=True) if index else None,
        size_pixels=size_of(cells.get("width"), cells.get("height"), text=True),
        group=cells.get("group") or None,
        split=split_word(cells.get("split", "")),
    )


def _box(cells: Cells) -> Box:
    left, top, width, height = (number(cells[c], f"its {c}", text=True) for c in _BOX[1:])
    score, track = cells.get("score", ""), cells.get("track", "")
    return Box(
        cells["label"],
        left,
        top,
        left + width,
        top + height,
        number(score, "its score", text=True) if score else None,
        whole(track, "its track", text=True) if track else None,
        cells.get("ignored", "").lower() in ("1", "true", "yes"),
    )


# ---------------------------------------------------------------- writing


def table_files(annotations: Annotations) -> Files:
    """Yield ``boxes.csv``; columns that nothing fills are left out."""
    listed: list[Cells] = []
    for frame in annotations.frames:
        size = frame.size_pixels or ("", "")
        of_frame = {
            "path": written_cell(frame.path),
            "frame": "" if frame.index is None else str(frame.index),
            "width": str(size[0]),
            "height": str(size[1]),
            "group": written_cell(frame.group or ""),
            "split": frame.split or "",
        }
        listed += [of_frame | _cells(box) for box in frame.boxes] or [of_frame]
    used = [c for c in _KNOWN[1:] if any(row.get(c) for row in listed)]
    names = ("path", "frame", *_BOX, *used)
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    yield "boxes.csv", out.getvalue().encode()


def _cells(box: Box) -> Cells:
    sides = (box.left, box.top, box.right - box.left, box.bottom - box.top)
    return {
        "label": written_cell(box.label),
        **dict(zip(_BOX[1:], map(plain, sides), strict=True)),
        "track": "" if box.track is None else str(box.track),
        "score": "" if box.score is None else plain(box.score),
        "ignored": "1" if box.ignored else "",
    }
