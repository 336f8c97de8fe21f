"""Dense optical-flow statistics: a training-free encoder of how a clip moves.

Encoders of single frames cannot tell a push from a hug; how the pixels move can. Each token
describes one pair of consecutive frames of a view: the motion of the camera, and what moves
beside it; `FEATURE_NAMES` says how.

The flow is DIS (Kroeger, Timofte, Dai, Van Gool, "Fast optical flow using dense inverse
search", ECCV 2016). Its change from pair to pair as a sign of violence is from ViF (Hassner,
Itcher, Kliper-Gross, "Violent flows", CVPR workshops 2012).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidfit.backbones.flow_statistics import FEATURE_NAMES, PairFields, describe
from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError

if TYPE_CHECKING:
    import cv2

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
    spec = BackboneSpec(
        name="motion",
        family="motion",
        architecture="algorithm",
        sampling=Sampling(clip_len=3, num_clips=8, interval_seconds=2 / 15),
        preprocessing=Preprocessing(height_pixels=96, width_pixels=160),
        dim=len(FEATURE_NAMES),
        parameters=0,
        gmacs_per_view=0.0,
        licence="Apache-2.0",
        commercial_use=True,
        source="vidfit",
        revision=REVISION,
    )
    return MotionBackbone(spec)


def restore(directory: Path, spec: BackboneSpec) -> MotionBackbone:
    """Return the encoder that ``spec`` names; there are no weights to read.

    Raises
    ------
    BackboneError
        When the features were those of another version.
    """
    if spec.revision != REVISION:
        raise BackboneError(
            f"{directory} was saved with motion features {spec.revision!r}; this vidfit computes "
            f"{REVISION!r}. Fit the model again, or use the vidfit that saved it."
        )
    return MotionBackbone(spec)


@dataclass(frozen=True)
class MotionBackbone:
    """Optical-flow statistics as a backbone: [B, T, H, W, 3] to tokens [B, T - 1, D].

    Each thread that calls it has a flow engine of its own. OpenCV's threads are switched off
    in this process: clips are what runs in parallel.
    """

    spec: BackboneSpec
    _local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def __post_init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)

    def with_sampling(self, sampling: Sampling) -> MotionBackbone:
        """Return the same encoder under another sampling.

        Raises
        ------
        BackboneError
            When the views have fewer than two frames, or no fixed time between them: flow
            per pair would then depend on the length of the clip.
        """
        if sampling.clip_len < 2 or sampling.interval_seconds is None:
            raise BackboneError(
                f"motion needs views of at least two frames at a fixed interval_seconds, not "
                f"the sampling {sampling}. Valid is, for example, {motion().spec.sampling}."
            )
        return MotionBackbone(replace(self.spec, sampling=sampling))

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, T - 1, D] of views [B, T, H, W, C].

        Raises
        ------
        BackboneError
            When the views are not uint8 RGB, or have fewer than two frames.
        """
        shape = frames_BTHWC.shape
        if frames_BTHWC.dtype != np.uint8 or len(shape) != 5 or shape[1] < 2 or shape[4] != 3:
            raise BackboneError(
                f"motion received {frames_BTHWC.dtype} views of shape {shape}; it takes uint8 "
                "[B, T, H, W, 3] with T >= 2. Sample the frames as spec.sampling says."
            )
        if not len(frames_BTHWC):
            return np.zeros((0, shape[1] - 1, len(FEATURE_NAMES)), np.float32)
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
        still_HW2 = np.zeros((height, width, 2), np.float32)
        flow_HW2 = self._engine().calc(first_HW, second_HW, still_HW2)
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

    def _engine(self) -> cv2.DISOpticalFlow:
        if not hasattr(self._local, "engine"):
            import cv2

            # "Medium" (slower by a quarter) and "ultrafast" were equally accurate.
            self._local.engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        engine: cv2.DISOpticalFlow = self._local.engine
        return engine


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
