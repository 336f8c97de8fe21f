"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from vidfit.errors import StoreError


def cache_folder(name: str) -> Path:
    """Return ``vidfit/name`` in the user's cache folder (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vidfit" / name


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name beside it, then rename it; return its path.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".tmp-{path.name}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; free space or choose another "
            "folder. What was finished is kept: the same command goes on"
        ) from error
    finally:
        with suppress(OSError):  # there is none, or the folder is a file
            temporary.unlink()
    return path
