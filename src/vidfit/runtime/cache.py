"""Exported networks on disk, so that the seconds of an export are spent once."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from vidfit.contracts import BackboneSpec


def default_folder() -> Path:
    """Return ``vidfit/engines`` in the user's cache folder (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vidfit" / "engines"


def key(spec: BackboneSpec, engine: str, packages: tuple[str, ...]) -> str:
    """Name an export by all that it depends on: weights, input, engine and versions."""
    facts = {
        "revision": spec.revision,
        "name": spec.name,
        "family": spec.family,
        "clip_len": spec.sampling.clip_len,
        "preprocessing": asdict(spec.preprocessing),
        "engine": engine,
        "versions": {package: metadata.version(package) for package in ("vidfit", *packages)},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def is_whole(path: Path) -> bool:
    """Tell whether a file is there and is what was written, by the sha256 beside it."""
    checksum = _checksum(path)
    try:
        return checksum.read_text(encoding="ascii") == _sha256(path)
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def write(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file elsewhere in its folder and move it into place, then its checksum.

    ``make`` gets the path to write to; when it raises, nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        new = Path(folder) / path.name
        make(new)
        checksum = Path(folder) / _checksum(path).name
        checksum.write_text(_sha256(new), encoding="ascii")
        new.replace(path)
        checksum.replace(_checksum(path))


def _checksum(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
