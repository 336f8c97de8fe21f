"""What a user may ask of a forecaster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError, not_known
from vidfit.pixels.forecast.candidates import CANDIDATES, ForecastSizes


@dataclass(frozen=True)
class ForecastOptions:
    """What a user may ask of a forecaster.

    Parameters
    ----------
    groups
        File that maps clips to recordings.
    seen, ahead
        Frames that are seen, and that are said.
    side_pixels
        Of the square grey frames; a multiple of 4. ``None`` takes 32, or of a file of sequences
        what it has.
    cpu_seconds
        Of the processor, for learning: all networks together.
    steps
        In place of the seconds, for each network.
    networks
        Keys of `CANDIDATES`; empty takes all.
    workers
        Threads that decode; ``None`` means one for each usable core.
    seed
        The same clips, steps and seed give the same model.
    """

    groups: Path | None = None
    seen: int = 10
    ahead: int = 10
    side_pixels: int | None = None
    cpu_seconds: float = 600.0
    steps: int | None = None
    networks: tuple[str, ...] = ()
    workers: int | None = None
    seed: int = 0

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        for name in self.networks:
            if name not in CANDIDATES:
                raise VidfitError(not_known("network to forecast", name, tuple(CANDIDATES)))
        ForecastSizes(next(iter(CANDIDATES)), self.side_pixels or 32, self.seen, self.ahead).check()
        if not self.cpu_seconds > 0:
            raise VidfitError(f"cpu_seconds is {self.cpu_seconds}; give more than 0")
        if self.steps is not None and self.steps < 1:
            raise VidfitError(f"steps is {self.steps}; give 1 or more")

    @property
    def all_networks(self) -> tuple[str, ...]:
        """Those that were asked for, or all."""
        return self.networks or tuple(CANDIDATES)
