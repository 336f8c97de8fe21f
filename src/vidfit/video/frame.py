"""One decoded frame, and how it becomes RGB pixels of the size that a network wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from vidfit.contracts import Frames, Preprocessing

if TYPE_CHECKING:
    from av import VideoFrame

_INTERPOLATION = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND)
_FULL_RANGE = int(ColorRange.JPEG)
_QUARTER_TURNS = {0: 0, 90: 1, 180: 2, 270: 3}


@dataclass(frozen=True, slots=True)
class Picture:
    """What the frames of a video look like; the size is that of the upright picture."""

    width_pixels: int
    height_pixels: int
    rotation_degrees: int
    pixel_format: str
    codec: str

    @classmethod
    def of(cls, frame: VideoFrame, codec: str) -> Picture:
        """Read the facts off a decoded frame."""
        rotation = clockwise_rotation(frame)
        width, height = frame.width, frame.height
        if rotation % 180:
            width, height = height, width
        return cls(width, height, rotation, frame.format.name, codec)


class Scalers:
    """The swscale contexts of one reader: one for each preprocessing, kept between frames.

    A context costs about as much to set up as a small frame costs to scale, and must not
    be used by two threads at once.
    """

    def __init__(self) -> None:
        self._reformatters: dict[tuple[int, int], VideoReformatter] = {}

    def scale(self, frame: VideoFrame, width_pixels: int, height_pixels: int) -> Frames:
        """Return the frame as RGB [H, W, 3], scaled by an antialiased bilinear filter.

        Through planar RGB with accurate rounding: libswscale then interpolates chroma and
        rounds without bias, at the cost of the default way to packed RGB, which comes out
        1 to 2 levels too dark.
        """
        size = (width_pixels, height_pixels)
        reformatter = self._reformatters.get(size)
        if reformatter is None:
            reformatter = self._reformatters.setdefault(size, VideoReformatter())
        scaled = reformatter.reformat(
            frame,
            width=width_pixels,
            height=height_pixels,
            format="gbrp",
            interpolation=_INTERPOLATION,
            dst_color_range=_FULL_RANGE,
            threads=1,
        )
        return np.asarray(scaled.to_ndarray(), np.uint8)  # [H, W, 3] in the order R, G, B


class DecodedFrame:
    """A frame as the codec left it; pixels are computed when asked for.

    Attributes
    ----------
    index
        Place in the video, in the order of presentation; the first frame is 0.
    pts_seconds
        When it is shown, from the first frame.
    """

    __slots__ = ("_frame", "_scalers", "index", "pts_seconds")

    def __init__(self, index: int, pts_seconds: float, frame: VideoFrame, scalers: Scalers) -> None:
        self.index = index
        self.pts_seconds = pts_seconds
        self._frame = frame
        self._scalers = scalers

    def rgb(self, preprocessing: Preprocessing | None = None) -> Frames:
        """Return RGB pixels uint8 [H, W, 3], upright and contiguous.

        Parameters
        ----------
        preprocessing
            The size wanted, as the network sees it; ``mean`` and ``std`` are not applied.
            ``None`` keeps the native size. May be called again with another one.
        """
        frame = self._frame
        turns = _QUARTER_TURNS[clockwise_rotation(frame)]
        shown = (frame.height, frame.width) if turns % 2 == 0 else (frame.width, frame.height)
        scaled = shown if preprocessing is None else scaled_size(preprocessing, *shown)
        coded_height, coded_width = scaled if turns % 2 == 0 else scaled[::-1]
        # Turning the small picture costs less than turning the large one.
        pixels = np.rot90(self._scalers.scale(frame, coded_width, coded_height), -turns)
        if preprocessing is not None and preprocessing.short_side_pixels is not None:
            pixels = _centre(pixels, preprocessing)
        return np.ascontiguousarray(pixels)


def clockwise_rotation(frame: VideoFrame) -> int:
    """Return the turn that the file asks for: 0, 90, 180 or 270 degrees clockwise."""
    return round(-frame.rotation / 90) * 90 % 360


def scaled_size(
    preprocessing: Preprocessing, height_pixels: int, width_pixels: int
) -> tuple[int, int]:
    """Return (height, width) to which a whole frame is scaled, before any cut.

    With ``short_side_pixels`` the longer side is rounded to the nearest pixel, and neither
    becomes smaller than the cut.
    """
    wanted = (preprocessing.height_pixels, preprocessing.width_pixels)
    if preprocessing.short_side_pixels is None:
        return wanted
    factor = preprocessing.short_side_pixels / min(height_pixels, width_pixels)
    height, width = round(height_pixels * factor), round(width_pixels * factor)
    return max(height, wanted[0]), max(width, wanted[1])


def _centre(pixels: Frames, preprocessing: Preprocessing) -> Frames:
    height, width = preprocessing.height_pixels, preprocessing.width_pixels
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
