r"""Cells of CSV files that a spreadsheet takes for text, and the way back.

A cell that begins with one of ``= + - @``, a tab or a line break is run as a formula by
spreadsheets (CWE-1236). Such a cell is written behind an apostrophe. One with hidden signs is
written with escapes behind ``'\``. Reading undoes both: ``read_cell(written_cell(x)) == x``.
"""

from __future__ import annotations

import re

from vidfit.shown import escape, is_hidden

_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_WRITTEN = re.compile(rf"'*{_FORMULA}|'+\\")
_READ = re.compile(rf"'('*{_FORMULA}|'+\\)")
_ESCAPE = re.compile(r"\\(\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_SHORT = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def written_cell(text: str) -> str:
    """Return text as a cell of a CSV file."""
    if any(map(is_hidden, text)):
        return "'\\" + "".join(escape(s) if is_hidden(s) or s == "\\" else s for s in text)
    return f"'{text}" if _WRITTEN.match(text) else text


def read_cell(cell: str) -> str:
    """Return the text that `written_cell` wrote; other cells as they are."""
    if cell.startswith("'\\"):
        return _ESCAPE.sub(lambda found: _unescaped(found[1]), cell[2:])
    return cell[1:] if _READ.match(cell) else cell


def _unescaped(code: str) -> str:
    return _SHORT[code] if code in _SHORT else chr(int(code[1:], 16))
