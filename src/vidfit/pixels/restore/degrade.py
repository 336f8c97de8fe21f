"""How a video loses its detail: what pairs to learn from are made with, and stated beside figures.

Published figures of one network differ by 2.8 dB between degradations (BasicVSR on Vid4: 27.27 dB
from bicubic, 24.45 from blur), so a figure without its degradation says nothing.

Shape letters: T frames of a stretch, H rows, W columns.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.pixels.restore.enlarge import smaller

Luma = NDArray[np.uint8]
"""Luma of frames, 16 to 235 (ITU-R BT.601), [T, H, W]."""


@dataclass(frozen=True)
class Degradation:
    """Blur, then fewer pixels by antialiased bicubic, then noise, then compression.

    Parameters
    ----------
    scale
        2 or 4: so many times fewer rows and columns.
    blur_pixels
        Standard deviation of a Gaussian, in pixels of the large picture; 0 is none.
    noise_levels
        Standard deviation of Gaussian noise, in 8-bit levels of the small picture; 0 is none.
    crf
        Of H.264 by x264, at which the small frames are encoded again; ``None`` leaves them.
    """

    scale: int
    blur_pixels: float = 0.0
    noise_levels: float = 0.0
    crf: int | None = None

    @property
    def text(self) -> str:
        """What is done, in words."""
        parts = [f"blurred by sigma {self.blur_pixels:g}"] if self.blur_pixels else []
        parts.append(f"antialiased bicubic to 1/{self.scale}")
        if self.noise_levels:
            parts.append(f"noise of {self.noise_levels:g} levels")
        if self.crf is not None:
            parts.append(f"encoded again by H.264 at CRF {self.crf}")
        return ", ".join(parts)

    def applied(self, planes_THW: Luma, seed: int = 0) -> Luma:
        """Return frames as they would have been seen, [T, H / scale, W / scale].

        Rows and columns that ``scale`` does not divide are left out at the end.
        """
        large = fitting(planes_THW, self.scale)
        small = smaller(_blurred(large.astype(np.float32), self.blur_pixels), self.scale)
        return self.at_small(small, seed)

    def at_small(self, small_THW: Floats, seed: int = 0) -> Luma:
        """Return small frames with noise and compression."""
        if self.noise_levels:
            rng = np.random.default_rng(seed)
            noise = rng.standard_normal(small_THW.shape, np.float32)
            small_THW = small_THW + np.float32(self.noise_levels) * noise
        found = np.clip(np.round(small_THW), 0, 255).astype(np.uint8)
        return found if self.crf is None else encoded_again(found, self.crf)


def fitting(planes_THW: Luma, scale: int) -> Luma:
    """Return frames without the last rows and columns that a scale does not divide."""
    height, width = (side // scale * scale for side in planes_THW.shape[1:])
    return planes_THW[:, :height, :width]


def _blurred(planes_THW: Floats, sigma_pixels: float) -> Floats:
    if not sigma_pixels:
        return planes_THW
    import cv2

    return np.stack([np.asarray(cv2.GaussianBlur(p, (0, 0), sigma_pixels)) for p in planes_THW])


def encoded_again(planes_THW: Luma, crf: int) -> Luma:
    """Return luma after H.264 by x264, preset medium, 25 frames a second, one keyframe.

    An odd last row or column is repeated once for the encoder, and taken away again.
    """
    count, height, width = planes_THW.shape
    padded = np.pad(planes_THW, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        options = {"crf": str(crf), "preset": "medium", "threads": "1"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *padded.shape[1:], "yuv420p"
        grey = np.full((padded.shape[1] // 2, padded.shape[2]), 128, np.uint8)
        for plane in padded:
            picture = np.ascontiguousarray(np.concatenate([plane, grey]))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as seen_again:
        seen = [f.to_ndarray(format="yuv420p") for f in seen_again.decode(video=0)]
    return np.stack([one[:height, :width] for one in seen[:count]])
