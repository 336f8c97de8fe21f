"""Text files of clips in the encodings that people save them in."""

from __future__ import annotations

import codecs
from pathlib import Path

from vidfit.errors import ManifestError

_BLOCK_BYTES = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LEGACY = "cp1252"
"""What Excel saves as CSV on Windows in western countries."""


def encoding_of(path: Path, *, table: bool) -> str:
    """Return the encoding of a text file; the whole file is looked at.

    UTF-8, with or without a mark, and UTF-16 with one are told for certain. A table in neither
    is taken for Windows-1252, which Excel saves; any other file is refused.

    Raises
    ------
    ManifestError
        If it is none of these.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_UTF16):
        return "utf-16"
    why = _trouble(path, "utf-8")
    if why is None:
        return "utf-8-sig"
    if table and _trouble(path, LEGACY) is None:
        return LEGACY
    raise ManifestError(
        f"{path} is not UTF-8 text ({why}); it may be Windows-1252 or damaged. Save it as UTF-8."
    )


def _trouble(path: Path, encoding: str) -> str | None:
    """Return why a file is not text of an encoding; ``None`` where it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return str(error)
    return None
