"""What was measured of a restorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.contracts import Estimate, Failure

BICUBIC, LANCZOS = "bicubic", "lanczos"
FRAME, STEADY, EVENED = "one frame", "one frame, steadied", "evened by 1/4"
CHOSEN = "chosen"
EVENED_SHARE = 1 / 4
"""Of a frame that is taken from the one before; it is steadied as well."""

LEARNED = (FRAME, STEADY, EVENED)
"""Ways of the one network that learns."""


@dataclass(frozen=True)
class WayRow:
    """One way to make frames larger, on recordings that it has not seen.

    Parameters
    ----------
    figures
        By name, with intervals over recordings; see `RestoreFigures`.
    gain_decibels
        Its PSNR of luma less that of bicubic, paired by recording.
    """

    name: str
    figures: Mapping[str, Estimate]
    gain_decibels: Estimate


@dataclass(frozen=True)
class RestoreReport:
    """A restorer that was made, and how it does on recordings that it has not seen.

    Parameters
    ----------
    source
        The clips.
    degradation
        How the small frames were made.
    degradation_why
        Why it was chosen so.
    rows
        Of the filters, the networks, and of what is chosen for each recording by the others.
    chosen
        The way of the network, or the better filter where none is proven better than it.
    filter
        The filter that is nearer to the truth: what is to be beaten.
    over_filter
        PSNR of luma of what is chosen for each recording less that of the filter, in dB, both
        chosen by the other recordings.
    why
        Of the choice, in a sentence.
    by_recording
        PSNR of luma by recording, then by way, in dB.
    warping_gain
        Warping error of bicubic less that of what is chosen, in levels, paired by recording.
    true_warping
        Warping error of the true frames themselves, in levels.
    frames
        That figures are made of.
    networks
        That learned: one a fold, and one of all recordings where it is kept.
    cpu_seconds
        That all of them took.
    """

    source: str
    scale: int
    degradation: str
    degradation_why: str
    recordings: int
    clips: int
    frames: int
    rows: tuple[WayRow, ...]
    chosen: str
    filter: str
    over_filter: Estimate
    why: str
    by_recording: Mapping[str, Mapping[str, float]]
    warping_gain: Estimate
    true_warping: Estimate
    networks: int
    cpu_seconds: float
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()

    def row(self, name: str) -> WayRow:
        """Return the row of a way."""
        return next(row for row in self.rows if row.name == name)

    @property
    def learning_seconds(self) -> float:
        """Of the processor, for all steps of training."""
        return self.cpu_seconds

    @property
    def gain(self) -> Estimate:
        """PSNR of luma of what is chosen less that of bicubic, in dB."""
        return self.row(CHOSEN).gain_decibels

    @property
    def one_recording(self) -> bool:
        """Whether it was measured on later parts of the one recording that it learned from."""
        return self.recordings == 1

    @property
    def beats_filter(self) -> bool:
        """Whether it is proven better than the filter on recordings that it has not seen."""
        return self.over_filter.low > 0

    @property
    def keeps_filter(self) -> bool:
        """Whether what is chosen is the filter."""
        return self.chosen == self.filter
