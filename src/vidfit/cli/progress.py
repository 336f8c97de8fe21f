"""Progress bars with an estimate of the time left."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class Bars:
    """One bar a stage on a terminal; one line a stage elsewhere. A `contracts.Progress`."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of ``total`` items."""
        if not self._console.is_terminal:
            self._console.print(f"{stage}: {total}", highlight=False)
        self._task = self._progress.add_task(stage, total=total)

    def advance(self, count: int = 1) -> None:
        """Count finished items of the stage."""
        if self._task is not None:
            self._progress.advance(self._task, count)

    def note(self, text: str) -> None:
        """Say one line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
