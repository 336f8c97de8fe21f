"""Models that were looked into before, or written, on this machine: noted by their sha256.

Whoever can write notes into a user's cache can do as much as that user: a note is not proof
against them. It names all of a model, as ``model.json`` holds the sha256 of every other file.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from vidfit.files import cache_folder
from vidfit.model.document import DOCUMENT


def is_known(directory: Path) -> bool:
    """Whether this very model was noted by this version of vidfit."""
    return _note(directory).exists()


def note_known(directory: Path) -> None:
    """Note a model; where the cache cannot be written, it is looked into again next time."""
    with suppress(OSError):
        note = _note(directory)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()


def _note(directory: Path) -> Path:
    sha = hashlib.sha256((directory / DOCUMENT).read_bytes())
    sha.update(metadata.version("vidfit").encode())
    return cache_folder("models") / sha.hexdigest()
