"""Who is told about work done."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told about work done, so that a person can be shown it."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of ``total`` items."""
        ...

    def advance(self, count: int = 1) -> None:
        """Count finished items of the stage."""
        ...

    def note(self, text: str) -> None:
        """Say one line."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


SILENT = Silent()
