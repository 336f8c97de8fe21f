"""Dense optical-flow statistics: a training-free encoder of how a clip moves.

Encoders of single frames cannot tell a push from a hug; how the pixels move can. Each token
describes one pair of consecutive frames of a view: the motion of the camera, and what moves
beside it; `FEATURE_NAMES` says how.

The change of the flow (`dense_flow`) from pair to pair as a sign of violence is from ViF (Hassner,
Itcher, Kliper-Gross, "Violent flows", CVPR workshops 2012).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.backbones.dense_flow import (
    DenseFlow,
    check_revision,
    check_views,
    flow_spec,
    sampled,
)
from vidfit.backbones.flow_statistics import FEATURE_NAMES, PairFields, describe
from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling

__all__ = ["FEATURE_NAMES", "REVISION", "MotionBackbone", "motion", "restore"]

REVISION = "motion-1"
"""Changes with the features, so that stored ones of another version are never mixed in."""

# The flow is coarser than the frame: described on every second pixel, it says the same.
_STRIDE_PIXELS = 2
# Below this DIS refuses a frame; smaller ones are scaled up.
_SMALLEST_PIXELS = 32


def motion() -> MotionBackbone:
    """Return the motion encoder.

    Three frames at a fixed gap are two pairs and the change between them; eight such views
    cover a clip. The gap is long enough to span repeated frames of re-encoded recordings and
    short enough for the flow to hold on: on surveillance clips, accuracy is level from 0.1 to
    0.2 s and falls by some points at 0.033 s.
    """
    sampling = Sampling(clip_len=3, num_clips=8, interval_seconds=2 / 15)
    size = Preprocessing(height_pixels=96, width_pixels=160)
    return MotionBackbone(flow_spec("motion", REVISION, sampling, size, len(FEATURE_NAMES)))


def restore(directory: Path, spec: BackboneSpec) -> MotionBackbone:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When the features were those of another version.
    """
    check_revision(directory, spec, REVISION, "motion features")
    return MotionBackbone(spec)


@dataclass(frozen=True)
class MotionBackbone:
    """Optical-flow statistics as a backbone: [B, T, H, W, 3] to tokens [B, T - 1, D].

    ``flow`` may be called by several threads.
    """

    spec: BackboneSpec
    # "Medium" (slower by a quarter) and "ultrafast" were equally accurate.
    flow: DenseFlow = field(default_factory=lambda: DenseFlow("fast"), repr=False, compare=False)

    def with_sampling(self, sampling: Sampling) -> MotionBackbone:
        """Return the same encoder under another sampling.

        Raises
        ------
        BackboneError
            When `dense_flow.sampled` refuses it.
        """
        return MotionBackbone(sampled(self.spec, sampling))

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, T - 1, D] of views [B, T, H, W, C].

        Raises
        ------
        BackboneError
            When the views are not uint8 RGB, or have fewer than two frames.
        """
        check_views("motion", frames_BTHWC)
        if not len(frames_BTHWC):
            return np.zeros((0, frames_BTHWC.shape[1] - 1, len(FEATURE_NAMES)), np.float32)
        return np.stack([describe(self._fields(view_THWC)) for view_THWC in frames_BTHWC])

    def save(self, directory: Path) -> None:
        """Write nothing: the version in the spec says all."""

    def _fields(self, frames_THWC: Frames) -> PairFields:
        grey_THW = [_grey(frame_HWC) for frame_HWC in frames_THWC]
        pairs = [self._pair(first, second) for first, second in pairwise(grey_THW)]
        flow, change, warp = zip(*pairs, strict=True)
        return PairFields(np.stack(flow), np.stack(change), np.stack(warp))

    def _pair(self, first_HW: Frames, second_HW: Frames) -> tuple[Floats, Floats, Floats]:
        import cv2

        height, width = first_HW.shape
        flow_HW2 = self.flow.between(first_HW, second_HW)
        columns_HW, rows_HW = np.meshgrid(
            np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        )
        back_HW = cv2.remap(
            second_HW,
            columns_HW + flow_HW2[..., 0],
            rows_HW + flow_HW2[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return (
            _thin(flow_HW2 / np.array([width, height])),
            _thin(cv2.absdiff(first_HW, second_HW)),
            _thin(cv2.absdiff(first_HW, back_HW)),
        )


def _grey(frame_HWC: Frames) -> Frames:
    import cv2

    grey_HW = cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2GRAY)
    height, width = grey_HW.shape
    if min(height, width) < _SMALLEST_PIXELS:
        size = (max(width, _SMALLEST_PIXELS), max(height, _SMALLEST_PIXELS))
        grey_HW = cv2.resize(grey_HW, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(grey_HW, np.uint8)


def _thin(values: NDArray[Any]) -> Floats:
    import cv2

    height, width = values.shape[:2]
    size = (width // _STRIDE_PIXELS, height // _STRIDE_PIXELS)
    thinned = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(thinned, np.float32)
