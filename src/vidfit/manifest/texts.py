"""Tables of texts without videos: a text a row, with its label and what it was said in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.manifest.columns import COLUMNS, find_columns, text_of
from vidfit.manifest.names import TABLE_SUFFIXES
from vidfit.manifest.sheets import open_sheet

GROUPS = (*COLUMNS["group"], "document", "episode", "article", "dialogue")
"""Columns that say which rows belong together; the first that is there counts."""


@dataclass(frozen=True)
class TextRow:
    """A text of a table: where it stands, its label, and what it was said in."""

    name: str
    text: str
    label: str | None
    group: str


@dataclass(frozen=True)
class TextTable:
    """Texts of a table as rows; each pass reads the file anew.

    Parameters
    ----------
    path
        The table.
    roles
        Its columns by role: text, and, as far as there are, label and group.
    grouping
        In words, how rows belong together.
    """

    path: Path
    roles: dict[str, str]
    grouping: str

    def __iter__(self) -> Iterator[TextRow | Failure]:
        sheet = open_sheet(self.path)
        assert sheet is not None  # noqa: S101  (it was opened before)
        for raw in sheet.rows(self.roles):
            if isinstance(raw, Failure):
                yield raw
                continue
            name, cells = raw
            text = text_of(cells.get("text"))
            if text is None:
                yield Failure(f"{self.path.name}, {name}", "has no text")
                continue
            yield TextRow(
                name, text, text_of(cells.get("label")), text_of(cells.get("group")) or name
            )


def is_text_table(source: str | Path) -> bool:
    """Return whether a source is a table that names texts and no videos."""
    path = Path(source)
    if path.suffix.lower() not in TABLE_SUFFIXES or not path.is_file():
        return False
    sheet = open_sheet(path)
    found = find_columns(sheet.names) if sheet else {}
    return "text" in found and not {"path", "id"} & found.keys()


def open_texts(source: str | Path) -> TextTable:
    """Open a table with a column of texts.

    Raises
    ------
    ManifestError
        If it cannot be read, or no column holds texts.
    """
    path = Path(source)
    sheet = open_sheet(path) if path.is_file() else None
    found = find_columns(sheet.names) if sheet else {}
    if sheet is None or "text" not in found:
        raise ManifestError(
            f"{path} is no table with a column of texts; give a CSV or Parquet with a column "
            f"called {', '.join(COLUMNS['text'])}"
        )
    plain = {name.strip().lower(): name for name in sheet.names[::-1]}
    group = next((plain[name] for name in GROUPS if name in plain), None)
    roles = {role: name for role, name in found.items() if role in ("text", "label")}
    if group is None:
        return TextTable(path, roles, "each row stands alone: no column says what belongs together")
    return TextTable(path, {**roles, "group": group}, f"from the column {group!r} of {path.name}")
