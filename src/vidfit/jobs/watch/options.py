"""How a folder is watched."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.errors import VidfitError
from vidfit.jobs.predict.declined import Unknown


@dataclass(frozen=True)
class WatchOptions:
    """How a folder is watched, and how its videos are answered.

    Parameters
    ----------
    every_seconds
        Between two looks; above 0. A file is answered once two looks found it unchanged.
    once
        End when what is there is answered, instead of waiting for more.
    window_seconds, unknown, own, task
        As in `vidfit.predict` and `vidfit.load`.
    workers
        Threads that decode and infer; ``None`` is all cores.
    """

    every_seconds: float = 2.0
    once: bool = False
    window_seconds: float | None = None
    unknown: Unknown = None
    own: tuple[str, ...] = ()
    task: str | None = None
    workers: int | None = None

    def check(self) -> None:
        """Raise VidfitError if a value is out of its range."""
        if not 0 < self.every_seconds < float("inf"):
            raise VidfitError(f"looks every {self.every_seconds:g} s are none; give more than 0")
