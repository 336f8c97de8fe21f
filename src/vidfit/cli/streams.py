"""Standard output and error as they may be: closed, full, gone, or without the signs we use."""

from __future__ import annotations

import codecs
import errno
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from vidfit.shown import shown

_PLAIN = {
    "→": ">",
    "…": "...",
    "\N{EN DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "≥": ">=",
    "≤": "<=",
}
_PIPE_GONE = 128 + 13
"""What a shell gives for a program that SIGPIPE ended."""


def prepare() -> None:
    """Make the standard streams safe to write names to; open those that are closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened would become standard output
            os.open(os.devnull, os.O_RDWR)
    warnings.formatwarning = _warning
    codecs.register_error("vidfit", _written_otherwise)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # replaced by a test, or not there
            stream.reconfigure(errors="vidfit")  # type: ignore[union-attr]


def flush() -> None:
    """Write what is left for standard output.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def lost(error: OSError) -> int:
    """Give up standard output; return the exit status that says why."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    return _PIPE_GONE if error.errno == errno.EPIPE else 2


def _warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Return a warning of ours as a line; of others with the place where it arose."""
    if Path(filename).is_relative_to(Path(__file__).parents[1]):
        return f"vidfit: {shown(str(message))}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


def _written_otherwise(error: UnicodeError) -> tuple[str, int]:
    """Write a sign that the encoding lacks as one that it has, or as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    plain = (_PLAIN.get(s) or s.encode("ascii", "backslashreplace").decode() for s in signs)
    return "".join(plain), error.end
