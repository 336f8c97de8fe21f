"""The networks that can forecast, by name, and how each is made again from a model's sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vidfit.documents import value_of
from vidfit.errors import ModelError, VidfitError, not_known
from vidfit.pixels.forecast.conv_lstm import ConvLstm
from vidfit.pixels.forecast.forecaster import FrameForecaster
from vidfit.pixels.forecast.lstm import CnnLstmFc
from vidfit.pixels.forecast.simvp import ConvTranslator

FOLD, MOST_SIDE, MOST_FRAMES = 4, 256, 256


@dataclass(frozen=True)
class ForecastSizes:
    """What a forecaster is built from.

    Parameters
    ----------
    network
        Key of `CANDIDATES`.
    side_pixels
        Of the square grey frames.
    seen, ahead
        Frames in and out.
    copies
        Whether it draws over the last frame.
    """

    network: str
    side_pixels: int
    seen: int
    ahead: int
    copies: bool = False

    def check(self) -> None:
        """Refuse what no network can be built from.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.network not in CANDIDATES:
            raise VidfitError(not_known("network to forecast", self.network, tuple(CANDIDATES)))
        side = self.side_pixels
        if not 16 <= side <= MOST_SIDE or side % FOLD:
            raise VidfitError(
                f"--side is {side}; give a multiple of {FOLD} from 16 to {MOST_SIDE}, such as 32"
            )
        for name in ("seen", "ahead"):
            if not 1 <= getattr(self, name) <= MOST_FRAMES:
                raise VidfitError(
                    f"--{name} is {getattr(self, name)}; give 1 to {MOST_FRAMES} frames"
                )

    def build(self) -> FrameForecaster:
        """Return the network, its weights as they begin."""
        return CANDIDATES[self.network](self)

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, as a model keeps it."""
        return asdict(self)


CANDIDATES: dict[str, Callable[[ForecastSizes], FrameForecaster]] = {
    "cnn-lstm-fc": lambda of: CnnLstmFc(of.side_pixels, of.copies),
    "conv-lstm": lambda of: ConvLstm(of.copies),
    "conv-translator": lambda of: ConvTranslator(of.seen, of.ahead, of.copies),
}
"""CNN encoder, LSTM, fully connected decoder; convolutional LSTM; as SimVP."""


def sizes_of(facts: Mapping[str, Any]) -> ForecastSizes:
    """Return what a model was built from.

    Raises
    ------
    ModelError
        If no network can be built from it.
    """
    try:
        sizes = value_of(ForecastSizes, dict(facts), {})
        sizes.check()
    except (VidfitError, ValueError, TypeError) as error:
        raise ModelError(f"the model's sizes are none of a forecaster: {error}") from error
    return sizes
