"""The fitted model: one directory.

::

    model/
      model.json               classes, members, calibration, window, card, file digests
      head.safetensors         arrays of the head
      backbones/<name>/        spec.json and weights of each member

Nothing in it is code, and loading runs none. Every file's sha256 stands in ``model.json``;
a file that is missing or altered is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidfit.contracts import Floats
from vidfit.errors import ModelError

FORMAT = 1
_HEAD = "head.safetensors"
_SCRATCH = ".vidfit-model-"


@dataclass(frozen=True)
class Model:
    """What answers, without the networks' weights.

    Parameters
    ----------
    classes
        Class names in the order of the head's outputs.
    members
        Backbone names, in the order of the head's blocks.
    head
        Kind of head, a key of ``vidfit.fusion.RESTORE``.
    arrays
        The head's arrays.
    temperature
        Log-probabilities are divided by it before they become probabilities.
    unknown_probability
        Answers with less are declined.
    unknown_novelty
        Clips whose features lie further from the training clips (mean squared standard
        score) are declined.
    window_seconds
        Length of the training clips (median): the windows of a long video.
    longest_seconds
        Length of the longest training clip: a video up to that is one clip.
    card
        What a reader should know: data, scores, licences, versions.
    """

    classes: tuple[str, ...]
    members: tuple[str, ...]
    head: str
    arrays: Mapping[str, Floats]
    temperature: float
    unknown_probability: float
    unknown_novelty: float
    window_seconds: float
    longest_seconds: float
    card: Mapping[str, Any]


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

    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _alone(directory.parent), _scratch(directory.parent) as scratch:
            if directory.exists() and not (directory / "model.json").is_file():
                raise ModelError(f"{directory} exists and is no model; choose another place")
            new = scratch / "model"
            new.mkdir()
            save_file({k: v.copy() for k, v in model.arrays.items()}, new / _HEAD)
            for index in range(len(model.members)):
                folder = member_directory(new, index)
                folder.mkdir(parents=True)
                save_member(index, folder)
            facts = {k: v for k, v in asdict(model).items() if k != "arrays"}
            document = {"format": FORMAT, **facts, "files": _digests(new)}
            text = json.dumps(document, indent=1, ensure_ascii=False)
            (new / "model.json").write_text(text, encoding="utf-8")
            if directory.exists():
                directory.replace(scratch / "old")
            new.replace(directory)
    except OSError as error:
        raise ModelError(
            f"cannot write the model to {directory}: {error.strerror or error}"
        ) from error


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
        If it is no model, of a newer format, incomplete or altered.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = directory / "model.json"
    if not path.is_file():
        raise ModelError(f"{directory} is no model: it has no model.json; give what `fit` wrote")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise ModelError(f"{path} has a format that this vidfit does not read; update vidfit")
        files = document.pop("files")
        _check(directory, {_HEAD: files[_HEAD], **files})
        arrays = load_file(directory / _HEAD)
        for name in ("classes", "members"):
            document[name] = tuple(document[name])
        return Model(arrays=arrays, **document)
    except (AttributeError, KeyError, OSError, SafetensorError, TypeError, ValueError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error


def _digests(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): _sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _check(directory: Path, expected: Mapping[str, str]) -> None:
    for name, digest in expected.items():
        path = directory / name
        if not path.is_file():
            raise ModelError(f"{directory} is incomplete: {name} is missing; copy it again")
        if _sha256(path) != digest:
            raise ModelError(f"{path} was altered after it was written; fit or copy it again")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
