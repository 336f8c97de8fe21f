"""What a generator is learned with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError

LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class GenerateOptions:
    """Options of `run_generate`.

    Parameters
    ----------
    groups
        File that maps clips to recordings.
    side
        Pixels of the height and width of frames, a multiple of 8 from 16 to 64.
    cpu_seconds
        Of the processor, for learning; measuring comes on top.
    frames, interval_seconds
        Of a clip that is drawn: how many frames, and how far apart.
    windows
        Clips that are cut from each that is given.
    steps
        Steps of each network, in place of seconds.
    """

    groups: Path | None = None
    side: int = 32
    cpu_seconds: float = 600.0
    frames: int = 8
    interval_seconds: float = 0.1
    windows: int = 4
    seed: int = 0
    workers: int | None = None
    steps: int | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        VidfitError
            Says what is valid.
        """
        if not self.cpu_seconds >= LEAST_SECONDS:
            raise VidfitError(
                f"{self.cpu_seconds:g} seconds of the processor are too few; give "
                f"{LEAST_SECONDS:g} or more"
            )
        if self.windows < 1 or not self.interval_seconds > 0:
            raise VidfitError("a clip gives one window or more, its frames are apart")
