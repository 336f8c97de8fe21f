"""The rows of a table or a list as clips, one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from vidfit.contracts import WORDS, Clip, Failure
from vidfit.errors import ManifestError
from vidfit.labels import A_NUMBER, SEVERAL, Kind
from vidfit.manifest.columns import (
    CLASS,
    Cells,
    checked_columns,
    clip_of,
    labelled_columns,
    parse_seconds,
    text_of,
)
from vidfit.manifest.lines import ListLine, parse_label_first, parse_line, parse_offset
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES, is_clip
from vidfit.manifest.roots import SAMPLE, Root, evenly, find_root
from vidfit.manifest.sheets import Raw, Sheet, encoding_of, open_sheet
from vidfit.manifest.value import is_there, is_url
from vidfit.video.member import split_member


@dataclass(frozen=True, slots=True)
class LostRow(Failure):
    """A row that names a video and cannot be used: when what it tells of was is not known."""

    path: str


@dataclass(frozen=True)
class ClipList:
    """The clips of a table or a list; each pass over it reads the file anew.

    Parameters
    ----------
    layout
        What it was read as.
    notes
        What the user should know about it.
    grouping
        The column that tells recordings, in words; empty where there is none.
    found
        Whether any file of a sample of its rows is there; those at URLs are taken to be.
    kind
        What its clips are labelled with, where its columns say so.
    """

    layout: str
    notes: tuple[str, ...]
    grouping: str
    found: bool
    read: Callable[[], Iterator[Clip | Failure]]
    kind: Kind | None = None

    def __iter__(self) -> Iterator[Clip | Failure]:
        return self.read()


def open_rows(path: Path, split: str | None = None) -> ClipList:
    """Open a CSV, Parquet or list of clips; memory does not grow with the number of its rows.

    Parameters
    ----------
    split
        The split of rows that name none.

    Raises
    ------
    ManifestError
        If it cannot be read, or no column names the videos.
    """
    if path.suffix.lower() not in TABLE_SUFFIXES | LIST_SUFFIXES:
        raise ManifestError(f"{path} is neither a table nor a list of clips")
    sheet = open_sheet(path)
    return _list(path, split) if sheet is None else _table(path, split, sheet)


def _table(path: Path, split: str | None, sheet: Sheet) -> ClipList:
    roles = checked_columns(path, sheet.names)
    of_labels = {} if "label" in roles else _labels(sheet, roles)
    roles |= of_labels
    notes = list(sheet.notes)
    ignored = [name for name in sheet.names if name not in roles.values() and name.strip()]
    if ignored:
        notes.append(f"Columns of {path.name} that are not used: {', '.join(ignored)}.")
    kind = (A_NUMBER if "label" in of_labels else SEVERAL) if of_labels else None
    grouping = f"from the column {roles['group']!r} of {path.name}" if "group" in roles else ""
    layout = f"the table {path.name} ({', '.join(roles.values())})"
    if not {"path", "id"} & roles.keys():
        texts = partial(_texts, sheet, roles, path.name, split)
        return ClipList(layout, tuple(notes), grouping, True, texts, kind)
    some = evenly(sheet.rows(roles), lambda row: not isinstance(row, Failure))
    place = find_place([row[1] for row in some if not isinstance(row, Failure)], path.parent, roles)
    return ClipList(
        layout,
        tuple(notes),
        grouping,
        place.root.leads,
        lambda: _clips(sheet.rows(roles), place, split),
        kind,
    )


def _labels(sheet: Sheet, roles: dict[str, str]) -> dict[str, str]:
    """Return columns with labels that are not called so, by role."""
    rest = {CLASS + n.strip(): n for n in sheet.names if n not in roles.values() and n.strip()}
    if not rest:
        return {}
    some = evenly(sheet.rows(rest), lambda row: not isinstance(row, Failure))
    return labelled_columns(rest, [row[1] for row in some if not isinstance(row, Failure)])


def _clips(raw: Iterator[Raw], place: PathPattern, split: str | None) -> Iterator[Clip | Failure]:
    for row in raw:
        if isinstance(row, Failure):
            yield row
            continue
        name, cells = row
        written = text_of(cells.get("path")) or text_of(cells.get("id"))
        path = place.path(cells)
        if path is None:
            yield Failure(name, "names no video")
            continue
        try:
            clip = clip_of(path, cells, split)
        except ValueError as error:
            yield LostRow(f"{name}: {written}", str(error), path)
            continue
        yield _checked(
            replace(clip, start_seconds=0.0, end_seconds=None) if place.trimmed else clip
        )


def _texts(
    sheet: Sheet, roles: dict[str, str], table: str, split: str | None
) -> Iterator[Clip | Failure]:
    """Yield the rows of a table without files: clips of words alone."""
    for row in sheet.rows(roles):
        if isinstance(row, Failure):
            yield row
            continue
        name, cells = row
        if text_of(cells.get("text")) is None:
            yield Failure(f"{table}, {name}", "has no text, and no file is named")
            continue
        try:
            yield clip_of(f"{WORDS}{table} {name}", cells, split)
        except ValueError as error:
            yield Failure(f"{table}, {name}", str(error))


def _checked(clip: Clip) -> Clip | Failure:
    """Return a listed clip, unless it can be neither a video nor a folder of frames."""
    known = is_url(clip.path) or is_clip(clip.path) or split_member(clip.path)
    if known or is_there(clip.path):
        return clip
    reason = "no such folder of frames or file, and not a video by its suffix"
    return Failure(clip.path, reason)


# ---------------------------------------------------------------- lists


def _list(path: Path, split: str | None) -> ClipList:
    lines = partial(_lines, path, encoding_of(path, table=False))
    some = evenly(lines(), lambda line: not line.startswith("#"))
    parse, root, form = _best_form(some, path.parent)
    return ClipList(
        f"the list {path.name}{form}",
        (),
        "",
        root.leads,
        lambda: _line_clips(path, lines(), parse, root, split),
    )


def _best_form(lines: list[str], folder: Path) -> tuple[Callable[[str], ListLine], Root, str]:
    """Return how lines are read: as ``path label``, unless only another form leads to files."""
    root = find_root([row.path for row in _parsed(lines, parse_line)], folder)
    if root.found <= 0:
        for parse, form in (
            (parse_label_first, " (label path)"),
            (parse_offset, " (folder offset total label)"),
        ):
            other = find_root([row.path for row in _parsed(lines, parse)], folder)
            if other.found > 0:
                return parse, other, form
    return parse_line, root, ""


def _parsed(lines: list[str], parse: Callable[[str], ListLine]) -> Iterator[ListLine]:
    for line in lines:
        try:
            yield parse(line)
        except ManifestError:
            continue


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding) as file:
        yield from filter(None, map(str.strip, file))


def _line_clips(
    path: Path,
    lines: Iterator[str],
    parse: Callable[[str], ListLine],
    root: Root,
    split: str | None,
) -> Iterator[Clip | Failure]:
    for line in lines:
        comment = line.startswith("#")
        name = f"{path.name}: {line[:80]}"
        try:
            row = parse(line)
        except ManifestError as error:
            if not comment:
                yield Failure(name, str(error))
            continue
        full = root.path(row.path)
        if comment and not is_there(full):
            continue
        cells = {"label": row.label, "start_frame": row.start_frame, "end_frame": row.end_frame}
        try:
            yield _checked(clip_of(full, cells, split))
        except ValueError as error:
            yield LostRow(name, str(error), full)


_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi")
_FOLDERS = ("", "{label}/", "{label_}/", "{split}/{label}/", "{split}/{label_}/", "{split}/")
_NAMES = ("{id}_{start:06d}_{end:06d}", "{id}")
_SAMPLE_OF_IDS = 8


@dataclass(frozen=True)
class PathPattern:
    """How a row gives the path of its file; ``template`` is used where it gives an id only."""

    root: Root
    template: str = ""

    @property
    def trimmed(self) -> bool:
        """Whether the files are cut out already: the times of a row are part of their names."""
        return "{start" in self.template

    def path(self, cells: Cells) -> str | None:
        """Return the absolute path; ``None`` where the row names no video."""
        written = _filled(self.template, cells) if self.template else text_of(cells.get("path"))
        return None if written is None else self.root.path(written)


def find_place(rows: Sequence[Cells], folder: Path, roles: dict[str, str]) -> PathPattern:
    """Return where the files of a sample of rows are."""
    if "id" not in roles:
        paths = [path for cells in rows if (path := text_of(cells.get("path")))]
        return PathPattern(find_root(paths, folder))
    some = rows[:: max(1, len(rows) // _SAMPLE_OF_IDS)][:SAMPLE]
    best = PathPattern(Root(folder, -1), _NAMES[0] + _SUFFIXES[0])
    for name, where, suffix in product(_NAMES, _FOLDERS, _SUFFIXES):
        template = where + name + suffix
        written = [path for cells in some if (path := _filled(template, cells))]
        place = PathPattern(find_root(written, folder), template)
        if written and place.root.found > best.root.found:
            best = place
        if written and best.root.found == len(written):
            break
    return best


def _filled(template: str, cells: Cells) -> str | None:
    """Return the path that a template gives for a row; ``None`` where the row lacks something."""
    words = {role: text_of(value) for role, value in cells.items()}
    label = words.get("label")
    try:
        times = {
            role: int(seconds)
            for role in ("start", "end")
            if (seconds := parse_seconds(cells.get(role))) is not None
        }
        known = {name: word for name, word in words.items() if word is not None}
        if label:
            known["label_"] = label.replace(" ", "_")
        return template.format(**{**known, **times})
    except (KeyError, ValueError):
        return None
