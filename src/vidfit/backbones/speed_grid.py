"""How fast each place of the picture moves: a training-free encoder for cameras that stand still.

A token is the mean speed in each cell of a grid between two frames, less the motion that most of
the picture shares. What is unusual at one place, a bicycle among people on foot, stands out in a
few of its numbers, where statistics over the whole picture drown it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from vidfit.backbones.dense_flow import (
    DenseFlow,
    check_revision,
    check_views,
    flow_spec,
    sampled,
)
from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling

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
    sampling = Sampling(clip_len=2, num_clips=4, interval_seconds=0.2)
    size = Preprocessing(HEIGHT_PIXELS, WIDTH_PIXELS)
    return SpeedGrid(flow_spec("speed-grid", REVISION, sampling, size, ROWS * COLUMNS))


def restore(directory: Path, spec: BackboneSpec) -> SpeedGrid:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When the features were those of another version.
    """
    check_revision(directory, spec, REVISION, "speeds")
    return SpeedGrid(spec)


@dataclass(frozen=True)
class SpeedGrid:
    """Speeds by place as a backbone: [B, T, H, W, 3] to tokens [B, T - 1, cells].

    Cells go row by row; speeds are in hundredths of the picture's width per pair of frames.
    """

    spec: BackboneSpec
    flow: DenseFlow = field(default_factory=lambda: DenseFlow("medium"), repr=False, compare=False)

    def with_sampling(self, sampling: Sampling) -> SpeedGrid:
        """Return the same encoder under another sampling.

        Raises
        ------
        BackboneError
            When `dense_flow.sampled` refuses it.
        """
        return SpeedGrid(sampled(self.spec, sampling))

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
        check_views("speed-grid", frames_BTHWC, (HEIGHT_PIXELS, WIDTH_PIXELS))
        tokens_BND = np.zeros(
            (len(frames_BTHWC), frames_BTHWC.shape[1] - 1, ROWS * COLUMNS), np.float32
        )
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
            flow_HW2 = self.flow.between(first_HW, second_HW)
            thin = flow_HW2[::_STRIDE_PIXELS, ::_STRIDE_PIXELS].reshape(-1, 2)
            moved_HW2 = flow_HW2 - np.median(thin, axis=0)
            speed_HW = np.hypot(moved_HW2[..., 0], moved_HW2[..., 1]) * (100 / WIDTH_PIXELS)
            cells = cv2.resize(speed_HW, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
            rows.append(cells.reshape(-1))
        return np.stack(rows).astype(np.float32)
