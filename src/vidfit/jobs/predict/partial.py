"""Windows of a long video that were seen so far: a killed run goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from vidfit.jobs.predict.predictor import Looked
from vidfit.study.kept import KeptRows


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
        self._kept = KeptRows(folder, facts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._kept.__exit__(kind, error, traceback)

    def windows(self) -> Iterator[SeenWindow]:
        """Yield what an earlier run left."""
        for row in self._kept.rows():
            with suppress(ValueError, KeyError, TypeError):
                yield _read(row)

    def add(self, window: SeenWindow) -> None:
        """Append a window; a kill loses those of the last two seconds.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        self._kept.add(_row(window))


def _row(window: SeenWindow) -> dict[str, Any]:
    looked = window.looked
    row = {**vars(window), "looked": None}
    if looked:
        given, clues, heat = (
            None if array is None else array.tolist()
            for array in (looked.given_K, looked.clues_E, looked.heat_RC)
        )
        row["looked"] = [given, looked.novelty, clues, heat]
    return row


def _read(row: dict[str, Any]) -> SeenWindow:
    if row["looked"]:
        given, novelty, clues, heat = row["looked"]
        clues_E = None if clues is None else np.array(clues, np.float32)
        heat_RC = None if heat is None else np.array(heat, np.float32)
        row["looked"] = Looked(np.array(given, np.float32), float(novelty), clues_E, heat_RC)
    return SeenWindow(**{**row, "asked": tuple(row["asked"])})
