"""What was measured of forecasters."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Failure
from vidfit.pixels.forecast.compare import ForecastTable


@dataclass(frozen=True)
class ForecastNetworkFacts:
    """What a network took to learn.

    Parameters
    ----------
    loss
        Mean cross-entropy of a pixel, in nats, over the last hundred steps.
    """

    name: str
    parameters: int
    steps: int
    cpu_seconds: float
    loss: float


@dataclass(frozen=True)
class ForecastReport:
    """Forecasters, and how they do on recordings that they have not seen.

    Parameters
    ----------
    data
        Where the frames come from.
    recordings, held_out
        That were learned from, and that were put aside.
    clips
        All that were used.
    windows
        Held-out windows that were measured.
    copies
        Whether networks draw over the last frame.
    """

    data: str
    recordings: int
    held_out: int
    clips: int
    windows: int
    seen: int
    ahead: int
    side_pixels: int
    copies: bool
    networks: tuple[ForecastNetworkFacts, ...]
    table: ForecastTable
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def learning_seconds(self) -> float:
        """Of the processor, for all steps of training."""
        return sum(one.cpu_seconds for one in self.networks)

    @property
    def chosen(self) -> ForecastNetworkFacts:
        """The network that is kept."""
        return next(one for one in self.networks if one.name == self.table.chosen)
