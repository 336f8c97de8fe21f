"""How fast each place of the picture moves: a training-free encoder for cameras that stand still.

A token is the mean speed in each cell of a grid between two frames, less the motion that most of
the picture shares. What is unusual at one place, a bicycle among people on foot, stands out in a
few of its numbers, where statistics over the whole picture drown it.

The flow is DIS (Kroeger, Timofte, Dai, Van Gool, "Fast optical flow using dense inverse search",
ECCV 2016).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError

if TYPE_CHECKING:
    import cv2

REVISION = "speed-grid-1"
"""Changes with the features, so that stored ones of another version are never mixed in."""

ROWS, COLUMNS = 10, 15
HEIGHT_PIXELS, WIDTH_PIXELS = 240, 360

_STRIDE_PIXELS = 4
"""Of the points whose median is the motion of the camera."""


def speed_grid() -> SpeedGrid:
    """Return the encoder.

    Frames are 0.2 s apart: at the usual 10, 15, 20, 25, 30, 50 and 60 frames a second that is a
    whole number of frames, so that no speed depends on how times are rounded.
    """
    spec = BackboneSpec(
        name="speed-grid",
        family="speed-grid",
        architecture="algorithm",
        sampling=Sampling(clip_len=2, num_clips=4, interval_seconds=0.2),
        preprocessing=Preprocessing(HEIGHT_PIXELS, WIDTH_PIXELS),
        dim=ROWS * COLUMNS,
        parameters=0,
        gmacs_per_view=0.0,
        licence="Apache-2.0",
        commercial_use=True,
        source="vidfit",
        revision=REVISION,
    )
    return SpeedGrid(spec)


def restore(directory: Path, spec: BackboneSpec) -> SpeedGrid:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When the features were those of another version.
    """
    if spec.revision != REVISION:
        raise BackboneError(
            f"{directory} was saved with speeds {spec.revision!r}; this vidfit computes "
            f"{REVISION!r}. Fit the model again, or use the vidfit that saved it."
        )
    return SpeedGrid(spec)


@dataclass(frozen=True)
class SpeedGrid:
    """Speeds by place as a backbone: [B, T, H, W, 3] to tokens [B, T - 1, cells].

    Cells go row by row; speeds are in hundredths of the picture's width per pair of frames.
    """

    spec: BackboneSpec
    _local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def __post_init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)

    def with_sampling(self, sampling: Sampling) -> SpeedGrid:
        """Return the same encoder under another sampling.

        Raises
        ------
        BackboneError
            When the views have fewer than two frames, or no fixed time between them.
        """
        if sampling.clip_len < 2 or sampling.interval_seconds is None:
            raise BackboneError(
                "speed-grid needs views of at least two frames at a fixed interval_seconds, not "
                f"the sampling {sampling}. Valid is, for example, {speed_grid().spec.sampling}."
            )
        return SpeedGrid(replace(self.spec, sampling=sampling))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return ROWS, COLUMNS

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, T - 1, cells] of views [B, T, H, W, C].

        Raises
        ------
        BackboneError
            When the views are not uint8 RGB of the spec's size, or have fewer than two frames.
        """
        shape, size = frames_BTHWC.shape, (HEIGHT_PIXELS, WIDTH_PIXELS, 3)
        if frames_BTHWC.dtype != np.uint8 or shape[2:] != size or len(shape) != 5 or shape[1] < 2:
            raise BackboneError(
                f"speed-grid received {frames_BTHWC.dtype} views of shape {shape}; it takes uint8 "
                f"[B, T, {HEIGHT_PIXELS}, {WIDTH_PIXELS}, 3] with T >= 2. Sample the frames as "
                "spec.sampling says."
            )
        tokens_BND = np.zeros((len(frames_BTHWC), shape[1] - 1, ROWS * COLUMNS), np.float32)
        for tokens_ND, view_THWC in zip(tokens_BND, frames_BTHWC, strict=True):
            tokens_ND[:] = self._speeds(view_THWC)
        return tokens_BND

    def save(self, directory: Path) -> None:
        """Write nothing: the version in the spec says all."""

    def _speeds(self, frames_THWC: Frames) -> Floats:
        import cv2

        grey_THW = [cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2GRAY) for frame_HWC in frames_THWC]
        rows = []
        for first_HW, second_HW in pairwise(grey_THW):
            still_HW2 = np.zeros((*first_HW.shape, 2), np.float32)
            flow_HW2 = self._engine().calc(first_HW, second_HW, still_HW2)
            thin = flow_HW2[::_STRIDE_PIXELS, ::_STRIDE_PIXELS].reshape(-1, 2)
            flow_HW2 = flow_HW2 - np.median(thin, axis=0)
            speed_HW = np.hypot(flow_HW2[..., 0], flow_HW2[..., 1]) * (100 / WIDTH_PIXELS)
            cells = cv2.resize(speed_HW, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
            rows.append(cells.reshape(-1))
        return np.stack(rows).astype(np.float32)

    def _engine(self) -> cv2.DISOpticalFlow:
        if not hasattr(self._local, "engine"):
            import cv2

            self._local.engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        engine: cv2.DISOpticalFlow = self._local.engine
        return engine
