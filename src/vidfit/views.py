"""What an encoder is given of a clip: which frames or samples, of what size, or its words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a clip are seen: ``clip_len x interval x num_clips``.

    Of sound, a frame is a sample (`of_sound`): a view has at most ``clip_len`` of them, and a clip
    no more views than it takes to hear all of it.

    Parameters
    ----------
    clip_len
        Frames in one view; 1 for image encoders.
    num_clips
        Views, at the centres of ``num_clips`` equal parts of the clip.
    interval_seconds
        Time between the frames of one view. ``None`` spreads the frames of a view evenly
        over its part of the clip. Seconds, not frames, so that recordings of differing
        frame rates are seen alike.
    keyframes
        Whether each moment is answered by the keyframe of the clip that is nearest to it, which
        decodes alone, instead of the frame on screen; for views of one frame. A clip in which no
        keyframe starts is seen as usual.
    """

    clip_len: int = 1
    num_clips: int = 8
    interval_seconds: float | None = None
    keyframes: bool = False

    @classmethod
    def of_sound(cls, rate_hertz: int, view_seconds: float, views: int) -> Sampling:
        """Return the sampling of an encoder that hears views of at most some seconds."""
        return cls(round(view_seconds * rate_hertz), views, 1.0 / rate_hertz)

    @property
    def rate_hertz(self) -> int:
        """Samples of sound a second; of frames at a fixed interval, their rounded rate."""
        return round(1.0 / self.interval_seconds) if self.interval_seconds else 0

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, as it is written; that frames are those on screen is not said."""
        facts = asdict(self)
        if not self.keyframes:
            del facts["keyframes"]
        return facts

    def __str__(self) -> str:
        if self.keyframes:
            return f"{self.clip_len}xkeyx{self.num_clips}"
        interval = "even" if self.interval_seconds is None else f"{self.interval_seconds:.3g}s"
        return f"{self.clip_len}x{interval}x{self.num_clips}"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a frame becomes a network's input.

    The frame is scaled with an antialiased bilinear filter to ``height_pixels`` x
    ``width_pixels``: the whole of it (``short_side_pixels=None``, aspect ratio not kept),
    or so that its shorter side has ``short_side_pixels`` and the centre is cut out. With
    ``block_pixels`` the whole frame keeps its shape as nearly as sides that are multiples of it
    can, with about as many pixels as ``height_pixels`` x ``width_pixels`` (`in_blocks`). The
    network sees ``(frame - mean) / std`` per RGB channel, on the 0-255 scale.
    """

    height_pixels: int
    width_pixels: int
    short_side_pixels: int | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    block_pixels: int | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it by name, without what is not asked for."""
        facts = asdict(self)
        if self.block_pixels is None:
            del facts["block_pixels"]
        return facts

    def of(self, height_pixels: int, width_pixels: int) -> Preprocessing:
        """Return how frames of a size become inputs of one size: as it is, but for blocks."""
        if self.block_pixels is None:
            return self
        rows, columns = self.in_blocks(height_pixels, width_pixels)
        size = rows * self.block_pixels, columns * self.block_pixels
        return replace(self, height_pixels=size[0], width_pixels=size[1], block_pixels=None)

    def in_blocks(self, height_pixels: int, width_pixels: int) -> tuple[int, int]:
        """Return rows and columns of blocks of a frame: of those nearest in area and shape."""
        block = self.block_pixels or 1
        usual = self.height_pixels * self.width_pixels / block**2
        most = int(usual * _MOST_AREA)
        shape = math.log(max(width_pixels, 1) / max(height_pixels, 1))
        sizes = [
            (rows, columns)
            for rows in range(1, most + 1)
            for columns in {most // rows, round(usual / rows), round(rows * math.exp(shape))}
            if columns >= 1 and rows * columns <= most
        ]
        return min(
            sizes,
            key=lambda rc: (
                abs(math.log(rc[1] / rc[0]) - shape) + 0.5 * abs(math.log(rc[0] * rc[1] / usual)),
                rc,
            ),
        )

    def takes(self, height_pixels: int, width_pixels: int) -> bool:
        """Return whether a network that sees such frames takes an input of this size."""
        if self.block_pixels is None:
            return (height_pixels, width_pixels) == (self.height_pixels, self.width_pixels)
        block, area = self.block_pixels, height_pixels * width_pixels
        whole = height_pixels % block == 0 and width_pixels % block == 0
        return whole and 0 < area <= self.height_pixels * self.width_pixels * _MOST_AREA


_MOST_AREA = 1.1
"""Of a frame in blocks, relative to what is usual."""


Sees = Literal["frames", "sound", "words"]
"""What of a clip an encoder sees: its pictures, its sound, or the words that are said in it."""

NO_PICTURE = Preprocessing(1, 1)
"""The preprocessing of encoders of sound and of words: there are no frames to scale."""

ONE_TEXT = Sampling(clip_len=1, num_clips=1)
"""The sampling of encoders of words: one view, which is the whole text."""
