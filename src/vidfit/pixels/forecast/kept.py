"""A forecaster that was fitted, as it is kept and used: network, line of calibration, card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.errors import ModelError
from vidfit.pixels.forecast.baselines import unit
from vidfit.pixels.forecast.calibrated import Platt
from vidfit.pixels.forecast.candidates import ForecastSizes, sizes_of
from vidfit.pixels.forecast.compare import sigmoid
from vidfit.pixels.forecast.fitting import answered
from vidfit.pixels.forecast.forecaster import FrameForecaster
from vidfit.pixels.forecast.measure import Figures, surprise
from vidfit.pixels.saved import PixelModel, load_pixels, save_pixels

TASK = "forecast"


@dataclass(frozen=True)
class KeptForecaster:
    """What says the frames ahead.

    Parameters
    ----------
    platt
        Makes its probabilities true more often.
    card
        Figures, and what a reader should know; plain values.
    """

    sizes: ForecastSizes
    network: FrameForecaster
    platt: Platt
    card: Mapping[str, Any]

    def ahead(self, seen_THW: Frames) -> Floats:
        """Return the probabilities [A, H, W] of the frames after those that are seen."""
        logits = answered(self.network, seen_THW[None, -self.sizes.seen :], self.sizes.ahead)
        return sigmoid(self.platt(logits[0]))

    def surprise(self, frames_FHW: Frames) -> Figures:
        """Return how surprising each frame after the first ``seen`` is, in nats a pixel.

        By how much the cross-entropy of what was said of a frame, from those before it, exceeds
        the entropy of its own brightness: 0 where it came as it was said.
        """
        seen = self.sizes.seen
        windows = np.lib.stride_tricks.sliding_window_view(frames_FHW, seen, axis=0)[:-1]
        logits = answered(self.network, np.moveaxis(windows, -1, 1), 1)
        said = sigmoid(self.platt(logits[:, 0]))
        nats: Figures = surprise(said, unit(frames_FHW[seen:])).mean(axis=(1, 2))
        return nats


def save_forecaster(kept: KeptForecaster, directory: Path) -> None:
    """Write a forecaster as `vidfit.pixels.saved` does.

    Raises
    ------
    ModelError
        If the disk is full or the directory cannot be written.
    """
    line = {"slope": kept.platt.slope, "offset": kept.platt.offset}
    sizes = {"of": kept.sizes.facts, "platt": line}
    weights = {f"forecaster/{name}": t for name, t in kept.network.state_dict().items()}
    save_pixels(PixelModel(TASK, sizes, weights, kept.card), directory)


def load_forecaster(directory: Path) -> KeptForecaster:
    """Read a forecaster.

    Raises
    ------
    ModelError
        If it is none, of a newer format, incomplete or altered.
    """
    model = load_pixels(directory, TASK)
    try:
        sizes = sizes_of(model.sizes["of"])
        line = model.sizes["platt"]
        platt = Platt(float(line["slope"]), float(line["offset"]))
        network = sizes.build()
        network.load_state_dict(model.part("forecaster"))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
    return KeptForecaster(sizes, network.eval(), platt, model.card)
