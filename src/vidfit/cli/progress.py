"""Progress bars with an estimate of the time left."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from vidfit.cli.told import JsonLines, form_told
from vidfit.shown import shown


class Bars:
    """One bar a stage on a terminal; one line a stage elsewhere. A `vidfit.progress.Progress`.

    After ``vidfit --progress json`` all of it is told in lines of JSON (`vidfit.cli.told`).

    Where standard error is full or gone, work goes on without.
    """

    def __init__(self) -> None:
        self._console = Console(file=cast("IO[str]", _Lenient(sys.stderr)))
        self._progress = Progress(
            TextColumn("{task.description:<22}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        stream = cast("IO[str]", sys.stderr)
        self._lines = JsonLines(stream) if form_told() == "json" else None

    def __enter__(self) -> Bars:
        if self._lines is None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._lines is None:
            self._progress.stop()
        else:
            self._lines.finish()

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of ``total`` items."""
        if self._lines is not None:
            self._lines.start(stage, total)
            return
        stage = shown(stage)
        if not self._console.is_terminal:
            self._console.print(f"{stage}: {total}", highlight=False, markup=False)
        self._task = self._progress.add_task(stage, total=total)

    def advance(self, count: int = 1) -> None:
        """Count finished items of the stage."""
        if self._lines is not None:
            self._lines.advance(count)
        elif self._task is not None:
            self._progress.advance(self._task, count)

    def note(self, text: str) -> None:
        """Say one line."""
        if self._lines is not None:
            self._lines.note(text)
            return
        self._console.print(shown(text), highlight=False, markup=False, soft_wrap=True)


class _Lenient:
    """Standard error, as far as it can be written."""

    def __init__(self, stream: object) -> None:
        self._stream: Any = stream

    def write(self, text: str) -> int:
        with suppress(AttributeError, OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(AttributeError, OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever a stream has)
        return getattr(self._stream, name)
