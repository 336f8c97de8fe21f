"""What was measured of a restorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.contracts import Estimate, Failure

BICUBIC, LANCZOS = "bicubic", "lanczos"
FRAME, STEADY, ALIGNED = "one frame", "one frame, steadied", "with neighbours"
CHOSEN = "chosen"
EVENED = {"evened by 1/4": 1 / 4, "evened by 1/3": 1 / 3, "evened by 1/2": 1 / 2}
"""Way -> the share of a frame that is taken from the one before; they are steadied as well."""

LEARNED = (FRAME, STEADY, *EVENED, ALIGNED)
NETWORK_OF = {**dict.fromkeys(LEARNED, FRAME), ALIGNED: ALIGNED}
"""Way -> the network that it needs: steadied is the one frame's, averaged along the motion."""

NETWORKS = (FRAME, ALIGNED)


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
        Of the baselines, the networks, and of what is chosen for each recording by the others.
    chosen
        The network, or bicubic where none is proven better.
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
        That learned: two a fold, and the last one.
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
    def gain(self) -> Estimate:
        """PSNR of luma of what is chosen less that of bicubic, in dB."""
        return self.row(CHOSEN).gain_decibels

    @property
    def one_recording(self) -> bool:
        """Whether it was measured on later parts of the one recording that it learned from."""
        return self.recordings == 1

    @property
    def beats_bicubic(self) -> bool:
        """Whether it is proven better than bicubic on recordings that it has not seen."""
        return self.gain.low > 0
