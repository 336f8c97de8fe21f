"""The fitted model: one directory.

::

    model/
      model.json               classes, members, calibration, window, card, file digests
      head.safetensors         arrays of the head
      backbones/<name>/        spec.json and weights of each member

Nothing in it is code, and loading runs none. Every file's sha256 stands in ``model.json``;
a file that is missing, altered or not named there is refused.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from vidfit.documents import to_json
from vidfit.errors import ModelError
from vidfit.files import sha256
from vidfit.model.document import DOCUMENT, FORMAT, Model, read_document
from vidfit.model.known import note_known

BESIDE = frozenset({"README.md", "LICENSE"})
"""Files of a model's folder that are not named in it: for people."""

_HEAD = "head.safetensors"
_SCRATCH = ".vidfit-model-"


def member_directory(model_directory: Path, index: int) -> Path:
    """Return where the files of a member lie; numbered, as names may hold any sign."""
    return model_directory / "backbones" / str(index)


def save_model(model: Model, directory: Path, save_member: Callable[[int, Path], None]) -> None:
    """Write a model directory; whoever reads it sees the old one or the whole new one.

    Parameters
    ----------
    save_member
        Called with the index of each member and an existing folder for its files.

    Raises
    ------
    ModelError
        If the disk is full or the directory cannot be written.
    """
    from safetensors.numpy import save_file

    with replaced(directory, DOCUMENT, "model") as new:
        save_file({k: v.copy() for k, v in model.arrays.items()}, new / _HEAD)
        for index in range(len(model.members)):
            folder = member_directory(new, index)
            folder.mkdir(parents=True)
            save_member(index, folder)
        facts = {k: v for k, v in asdict(model).items() if k != "arrays"}
        document = {"format": FORMAT, **facts, "files": digests(new)}
        text = to_json(document, indent=1, ascii_only=False)
        (new / DOCUMENT).write_text(text, encoding="utf-8")
        note_known(new)


@contextmanager
def replaced(directory: Path, marker: str, kind: str) -> Iterator[Path]:
    """Give a folder to fill, which then stands at ``directory``: the old one or the whole new one.

    Parameters
    ----------
    marker
        Name of a file that each ``kind`` of directory holds; another directory that is not
        empty is never replaced.

    Raises
    ------
    ModelError
        If something else stands there, the disk is full, or nothing can be written there.
    """
    from safetensors import SafetensorError

    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _alone(directory.parent), _scratch(directory.parent) as scratch:
            if directory.exists() and not (directory / marker).is_file() and _holds(directory):
                raise ModelError(f"{directory} exists and is no {kind}; choose another place")
            new = scratch / kind
            new.mkdir()
            yield new
            if directory.exists():
                directory.replace(scratch / "old")
            new.replace(directory)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"cannot write the {kind} to {directory}: {reason}") from error


def _holds(directory: Path) -> bool:
    """Whether anything is lost when this is replaced."""
    return not directory.is_dir() or any(directory.iterdir())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, which a kill gives back: one process writes a model into it."""
    try:
        import fcntl
    except ImportError:  # not on Windows: two writers at once may then spoil each other's work
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network folders have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder to write in beside the model; remove those that killed writers left."""
    for left in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
        yield Path(scratch)


def load_model(directory: Path) -> Model:
    """Read a model directory and check every file against its digest.

    Raises
    ------
    ModelError
        If it is no model, of a newer format, incomplete or altered, holds a file that it does
        not name, or says of itself what no model can.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    document = read_document(directory)
    try:
        check_files(directory, {_HEAD: document.files.get(_HEAD, ""), **document.files}, DOCUMENT)
        arrays = load_file(directory / _HEAD)
    except (AttributeError, KeyError, OSError, SafetensorError, TypeError, ValueError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
    return document.model(arrays)


def digests(directory: Path) -> dict[str, str]:
    """Return the sha256 of each file of a directory."""
    return {
        path.relative_to(directory).as_posix(): sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def check_files(directory: Path, expected: Mapping[str, str], document: str) -> None:
    """Compare files with their sha256; none but ``document`` may be there without one.

    Raises
    ------
    ModelError
        Names the file that is missing, altered, elsewhere or not named.
    """
    for name, digest in expected.items():
        if not stays_within(name):
            raise ModelError(f"{directory} names a file elsewhere, {name!r}; do not trust it")
        path = directory / name
        if not path.is_file():
            raise ModelError(f"{directory} is incomplete: {name} is missing; copy it again")
        if sha256(path) != digest:
            raise ModelError(f"{path} was altered after it was written; fit or copy it again")
    for name in sorted(_names(directory) - expected.keys() - {document}):
        if not _beside(name):
            raise ModelError(
                f"{directory} holds {name!r}, which its {document} does not name: somebody added "
                "it. Take it away if it was you, else do not trust the model"
            )


def _names(directory: Path) -> set[str]:
    """Return all that lies in a directory, but folders; a link to a folder is no folder."""
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def _beside(name: str) -> bool:
    """Whether a file is one that hubs and version control put into a folder, and nobody reads."""
    first = name.partition("/")[0]
    return first.startswith(".") or name in BESIDE


def stays_within(name: str) -> bool:
    """Whether a relative file name cannot leave its directory, on any system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and not set("\\:\0") & set(name)
