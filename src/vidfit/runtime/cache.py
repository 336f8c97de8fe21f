"""Exported networks on disk, so that the seconds of an export are spent once.

Beside an export stand notes of what was found out about it on this machine: how far each engine
is from torch, and which engine is fastest.
"""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from vidfit.contracts import BackboneSpec
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import cache_folder, sha256, write_whole
from vidfit.hardware import hardware

Made = TypeVar("Made")

EXPORTERS = ("torch", "onnx", "onnxscript")
"""Packages that have a part in an export."""


def default_folder() -> Path:
    """Return ``vidfit/engines`` in the user's cache folder (XDG base directories)."""
    return cache_folder("engines")


def export_path(folder: Path, spec: BackboneSpec) -> Path:
    """Return where the export of a torch network lies; all engines read the same file."""
    return folder / f"{_file_name(spec)}-{key(spec)}.onnx"


def graph_notes_path(folder: Path, spec: BackboneSpec) -> Path:
    """Return beside what path notes of a network lie that is a graph already."""
    return folder / f"{_file_name(spec)}-{spec.revision[:32]}"


def key(spec: BackboneSpec) -> str:
    """Name an export by all that it depends on: weights, input and versions."""
    facts = {
        "revision": spec.revision,
        "name": spec.name,
        "family": spec.family,
        "clip_len": spec.sampling.clip_len,
        "preprocessing": spec.preprocessing.facts,
        "versions": {package: version(package) for package in ("vidfit", *EXPORTERS)},
    }
    return hashlib.sha256(to_json(facts, sort_keys=True).encode()).hexdigest()[:32]


def whole(path: Path) -> str | None:
    """Return a file's sha256 if it is what was written, by the checksum beside it."""
    try:
        found = sha256(path)
        return found if _checksum(path).read_text(encoding="ascii") == found else None
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return None


def write(path: Path, make: Callable[[Path], Made]) -> Made:
    """Make a file elsewhere in its folder and move it into place, then its checksum.

    ``make`` gets the path to write to; when it raises, nothing is left. What it returns is
    returned.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        new = Path(folder) / path.name
        made = make(new)
        checksum = Path(folder) / _checksum(path).name
        checksum.write_text(sha256(new), encoding="ascii")
        new.replace(path)
        checksum.replace(_checksum(path))
    return made


def writable(path: Path) -> Path:
    """Return the path; where its folder cannot be written, one in a folder of this process."""
    return _written_to(path.parent) / path.name


@lru_cache
def _written_to(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        _say_not_kept(folder, error.strerror or str(error))
        own = Path(tempfile.mkdtemp(prefix="vidfit-engines-"))
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        return own


@lru_cache
def _say_not_kept(folder: Path, reason: str) -> None:
    warnings.warn(
        f"{folder} cannot be written ({reason}): what is prepared for an engine is not kept, and "
        "every run prepares it again, which takes seconds. Let XDG_CACHE_HOME name a folder that "
        "can be written",
        RuntimeWarning,
        stacklevel=2,
    )


# ---------------------------------------------------------------- notes


def note_path(beside: Path, about: str, packages: tuple[str, ...], threads: int) -> Path:
    """Return where a note lies: beside an export, for this processor, threads and versions."""
    facts = {
        "processor": hardware().processor,
        "threads": threads,
        "versions": {package: version(package) for package in packages},
    }
    machine = hashlib.sha256(to_json(facts, sort_keys=True).encode()).hexdigest()[:16]
    return beside.with_name(f"{beside.stem}.{about}-{machine}.json")


def read_note(path: Path, network: str) -> dict[str, Any] | None:
    """Return a note about a network of that sha256; ``None`` if there is none or it is damaged."""
    try:
        note = json_in(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return note if isinstance(note, dict) and note.get("network") == network else None


def write_note(path: Path, network: str, facts: Mapping[str, Any]) -> None:
    """Write a note whole: a reader finds the old one or the new one.

    Where it cannot be written, that is said once, and what it notes is found out again.
    """
    try:
        write_whole(path, to_json({"network": network, **facts}, indent=1).encode())
    except StoreError as error:
        _say_not_kept(path.parent, getattr(error.__cause__, "strerror", None) or str(error))


def _checksum(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _file_name(spec: BackboneSpec) -> str:
    # Names such as hf:org/name are no file names.
    return re.sub("[^a-zA-Z0-9.]+", "-", spec.name)


@lru_cache
def version(package: str) -> str:
    """Return the version of a package; empty where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
