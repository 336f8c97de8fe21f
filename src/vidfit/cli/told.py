"""Progress as JSON, a line each, for programs: ``vidfit --progress json COMMAND``."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import IO, Literal

from vidfit.documents import to_json
from vidfit.shown import shown

ProgressForm = Literal["bars", "json"]

LEAST_SECONDS = 0.2
"""Between two lines that count: what is done in between is told with the next."""


class JsonLines:
    """A `vidfit.progress.Progress` that writes lines to a stream.

    ``{"event": "stage", "stage": NAME, "total": N}``, ``{"event": "advance", "done": M, "total":
    N}``, ``{"event": "note", "text": TEXT}``. The last count of a stage is always told.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._done = self._told = self._total = 0
        self._last_seconds = 0.0

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of ``total`` items."""
        self.finish()
        self._done = self._told = 0
        self._total = total
        self._write({"event": "stage", "stage": shown(stage), "total": total})

    def advance(self, count: int = 1) -> None:
        """Count finished items of the stage."""
        self._done += count
        now = time.monotonic()
        if now - self._last_seconds >= LEAST_SECONDS or self._done >= self._total:
            self._last_seconds = now
            self.finish()

    def note(self, text: str) -> None:
        """Say one line."""
        self._write({"event": "note", "text": shown(text)})

    def finish(self) -> None:
        """Tell what was counted and not told yet."""
        if self._done != self._told:
            self._told = self._done
            self._write({"event": "advance", "done": self._done, "total": self._total})

    def _write(self, event: dict[str, object]) -> None:
        with suppress(AttributeError, OSError, ValueError):  # it is full or gone
            self._stream.write(to_json(event) + "\n")
            self._stream.flush()


_FORM: list[ProgressForm] = ["bars"]


def tell_as(form: ProgressForm) -> None:
    """Choose how commands of this process tell of their progress."""
    _FORM[0] = form


def form_told() -> ProgressForm:
    """Return how commands tell of their progress."""
    return _FORM[0]
