"""What was seen of a long video so far, beside its answers: a killed run goes on from there.

A line of JSON for each window, in a file that is named by the models, the video and the windows,
and that goes when the answers are complete.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from vidfit.errors import StoreError
from vidfit.jobs.predict.predictor import Looked

_FLUSH_SECONDS = 2.0


@dataclass(frozen=True)
class SeenWindow:
    """What one model made of one window.

    Parameters
    ----------
    of
        Number of the model.
    place
        Number of the window.
    failure
        Why it could not be read.
    looked
        What the head gave, unless it failed.
    seen
        Frames that were looked at.
    asked
        Encoders that ran.
    note
        What is said of its frames.
    """

    of: int
    place: int
    failure: str = ""
    looked: Looked | None = None
    seen: int = 0
    asked: tuple[str, ...] = ()
    note: str = ""


class Partial:
    """Windows that were looked at, kept in a folder.

    Parameters
    ----------
    folder
        Where the file lies.
    facts
        All that the windows depend on, as JSON takes it: another run with the same facts goes on.
    """

    def __init__(self, folder: Path, facts: object) -> None:
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self._path = folder / f".partial-{digest}.jsonl"
        self._file: IO[bytes] | None = None
        self._flushed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if error is None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def windows(self) -> Iterator[SeenWindow]:
        """Yield what an earlier run left; lines that were cut off are left out."""
        with suppress(FileNotFoundError), self._path.open("rb") as lines:
            for line in lines:
                with suppress(ValueError, KeyError, TypeError):
                    yield _read(json.loads(line))

    def add(self, window: SeenWindow) -> None:
        """Append a window; a kill loses those of the last two seconds.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab")
                self._file.write(b"\n")  # after a line that was cut off
            self._file.write(_line(window))
            if time.monotonic() - self._flushed > _FLUSH_SECONDS:
                self._file.flush()
                self._flushed = time.monotonic()
        except OSError as error:
            raise StoreError(
                f"cannot write {self._path}: {error.strerror or error}; free space or choose "
                "another folder"
            ) from error


def _line(window: SeenWindow) -> bytes:
    looked = window.looked
    row = {**vars(window), "looked": None}
    if looked:
        given, clues, heat = (
            None if array is None else array.tolist()
            for array in (looked.given_K, looked.clues_E, looked.heat_RC)
        )
        row["looked"] = [given, looked.novelty, clues, heat]
    return json.dumps(row).encode() + b"\n"


def _read(row: dict[str, Any]) -> SeenWindow:
    if row["looked"]:
        given, novelty, clues, heat = row["looked"]
        clues_E = None if clues is None else np.array(clues, np.float32)
        heat_RC = None if heat is None else np.array(heat, np.float32)
        row["looked"] = Looked(np.array(given, np.float32), float(novelty), clues_E, heat_RC)
    return SeenWindow(**{**row, "asked": tuple(row["asked"])})
