"""What encoders of dense optical flow share: the flow, their spec, and what they refuse.

The flow is DIS (Kroeger, Timofte, Dai, Van Gool, "Fast optical flow using dense inverse search",
ECCV 2016).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError

if TYPE_CHECKING:
    import cv2


@dataclass(frozen=True)
class DenseFlow:
    """Flow between grey frames; each thread that calls it has an engine of its own.

    OpenCV's threads are switched off in this process: clips are what runs in parallel.
    """

    preset: Literal["fast", "medium"]
    _local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def __post_init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)

    def between(self, first_HW: Frames, second_HW: Frames) -> Floats:
        """Return how far each pixel of the first frame moves, [H, W, 2], in pixels."""
        still_HW2 = np.zeros((*first_HW.shape, 2), np.float32)
        return np.asarray(self._engine().calc(first_HW, second_HW, still_HW2), np.float32)

    def _engine(self) -> cv2.DISOpticalFlow:
        if not hasattr(self._local, "engine"):
            import cv2

            presets = {
                "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
                "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
            }
            self._local.engine = cv2.DISOpticalFlow.create(presets[self.preset])
        engine: cv2.DISOpticalFlow = self._local.engine
        return engine


def flow_spec(
    name: str, revision: str, sampling: Sampling, preprocessing: Preprocessing, dim: int
) -> BackboneSpec:
    """Return the facts of an encoder that has no weights."""
    return BackboneSpec(
        name=name,
        family=name,
        architecture="algorithm",
        sampling=sampling,
        preprocessing=preprocessing,
        dim=dim,
        parameters=0,
        gmacs_per_view=0.0,
        licence="Apache-2.0",
        commercial_use=True,
        source="vidfit",
        revision=revision,
    )


def sampled(spec: BackboneSpec, sampling: Sampling) -> BackboneSpec:
    """Return the facts under another sampling.

    Raises
    ------
    BackboneError
        When the views have fewer than two frames, or no fixed time between them: flow per pair
        would then depend on the length of the clip.
    """
    if sampling.clip_len < 2 or sampling.interval_seconds is None:
        raise BackboneError(
            f"{spec.name} needs views of at least two frames at a fixed interval_seconds, not "
            f"the sampling {sampling}. Valid is, for example, {spec.sampling}."
        )
    return replace(spec, sampling=sampling)


def check_revision(directory: Path, spec: BackboneSpec, revision: str, what: str) -> None:
    """Refuse features of another version; there are no weights to read.

    Raises
    ------
    BackboneError
        When ``spec`` is of another revision.
    """
    if spec.revision != revision:
        raise BackboneError(
            f"{directory} was saved with {what} {spec.revision!r}; this vidfit computes "
            f"{revision!r}. Fit the model again, or use the vidfit that saved it."
        )


def check_views(name: str, frames_BTHWC: Frames, size: tuple[int, int] | None = None) -> None:
    """Refuse what is not uint8 RGB of a height and width, or has fewer than two frames a view.

    Raises
    ------
    BackboneError
        Names what was received.
    """
    shape = frames_BTHWC.shape
    fits = len(shape) == 5 and shape[1] > 1 and shape[4] == 3 and size in (None, shape[2:4])
    if frames_BTHWC.dtype != np.uint8 or not fits:
        valid = "H, W" if size is None else f"{size[0]}, {size[1]}"
        raise BackboneError(
            f"{name} received {frames_BTHWC.dtype} views of shape {shape}; it takes uint8 "
            f"[B, T, {valid}, 3] with T >= 2. Sample the frames as spec.sampling says."
        )
