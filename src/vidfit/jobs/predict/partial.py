"""Windows of a long video that were seen so far: a killed run goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vidfit.jobs.predict.predictor import Looked
from vidfit.study.kept import KeptRows


@dataclass(frozen=True, slots=True)
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

    def row(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        row = {one.name: getattr(self, one.name) for one in fields(self)} | {"looked": None}
        if looked := self.looked:
            clues = None if looked.clues_E is None else looked.clues_E.tolist()
            heat = [list(places) for places in looked.heat]
            row["looked"] = [looked.given_K.tolist(), looked.novelty, clues, heat]
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> SeenWindow:
        """Return what `row` gave."""
        looked = None
        if row["looked"]:
            given, novelty, clues, heat = row["looked"]
            clues_E = None if clues is None else np.array(clues, np.float32)
            given_K = np.array(given, np.float32)
            looked = Looked(given_K, float(novelty), clues_E, tuple(map(bytes, heat)))
        return cls(**{**row, "looked": looked, "asked": tuple(row["asked"])})


def windows_of(kept: KeptRows) -> Iterator[SeenWindow]:
    """Yield what an earlier run left; what is no window is left out."""
    for row in kept.rows():
        with suppress(ValueError, KeyError, TypeError):
            yield SeenWindow.from_row(row)
