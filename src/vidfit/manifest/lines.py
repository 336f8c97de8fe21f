"""One line of a plain list: ``path label``, ``folder total_frames label`` and their kin."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from vidfit.errors import ManifestError
from vidfit.manifest.names import is_clip

_NUMBER = re.compile(r"\d{1,18}")

HEADER_ADVICE = "give the list a first line that names its columns, such as path,label"


@dataclass(frozen=True)
class ListLine:
    """One line of a list: the path as written, the label when there is one, its frames."""

    path: str
    label: str | None
    start_frame: int | None = None
    end_frame: int | None = None


def parse_line(line: str) -> ListLine:
    """Read a path alone, ``path label`` or ``folder total_frames label``; paths may have spaces.

    Between them stand a tab, a comma, a semicolon or spaces.
    """
    if "\t" in line:
        return _of_cells(_cells(line, "\t"))
    if is_clip(line):
        return ListLine(line, None)
    for between in ",;":
        if between in line and (row := _of_video(_cells(line, between), between)):
            return row
    words = line.split(" ")
    return _of_video(words, " ") or _of_folder(words)


def parse_label_first(line: str) -> ListLine:
    """Read ``label path``."""
    for between in "\t,; ":
        label, _, path = line.partition(between)
        if path and is_clip(path):
            return ListLine(path.strip(), label.strip())
    raise ManifestError("it is not 'label path'")


def parse_offset(line: str) -> ListLine:
    """Read ``folder offset total_frames label``: a span of the frames of a folder."""
    words = line.split()
    if len(words) < 4 or not all(map(_NUMBER.fullmatch, words[-3:-1])):
        raise ManifestError("it is not 'folder offset total_frames label'")
    offset, total = map(int, words[-3:-1])
    return ListLine(" ".join(words[:-3]), words[-1], offset, offset + total)


def _cells(line: str, between: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=between))]
    except csv.Error as error:
        raise ManifestError(f"it is no row of a list ({error})") from error


def _of_cells(cells: list[str]) -> ListLine:
    """Read a line in which tabs tell the cells apart for certain."""
    if len(cells) == 2 and is_clip(cells[1]) and not is_clip(cells[0]):
        return ListLine(cells[1], cells[0])
    row = _of_video(cells, "\t") if is_clip(cells[0]) else None
    return row or _of_folder(cells)


def _of_video(cells: list[str], between: str) -> ListLine | None:
    """Read a video and its label; what stands between cells may be part of the path."""
    for i in range(1, len(cells) + 1):
        path = between.join(cells[:i]).strip()
        if is_clip(path):
            rest = [cell for cell in cells[i:] if cell]
            if len(rest) > 1 and all(cell.isdecimal() for cell in rest):
                raise ManifestError("it has several labels; expected one for each clip")
            if len(rest) > 1 and between != " ":
                raise ManifestError(f"it has {len(rest)} cells after the path; {HEADER_ADVICE}")
            return ListLine(path, " ".join(rest) or None)
    return None


def _of_folder(words: list[str]) -> ListLine:
    """Read a folder of frames with its label, and between them perhaps the number of frames."""
    *head, last = words
    while head and not head[-1]:
        head.pop()
    if not head:
        raise ManifestError("it has no label; expected 'path label'")
    if len(head) > 1 and head[-1].isdecimal():
        head.pop()
    return ListLine(" ".join(head).strip(), last)
