"""One decoded frame, and how it becomes RGB pixels of the size that a network wants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from vidfit.contracts import Frames, Preprocessing
from vidfit.errors import VideoError
from vidfit.video.colours import Colours
from vidfit.video.source import reason

if TYPE_CHECKING:
    from av import VideoFrame

_INTERPOLATION = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND)
_FULL_RANGE = int(ColorRange.JPEG)


@dataclass(frozen=True, slots=True)
class Orientation:
    """What a file asks for: first left and right change sides, then clockwise quarter turns."""

    is_mirrored: bool = False
    quarter_turns: int = 0

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """Read it off the display matrix, which takes (x, y) to (ax + cy, bx + dy)."""
        try:
            matrix: Any = frame.side_data.get("DISPLAYMATRIX")
        except ValueError:  # PyAV has no name for what lies beside it, such as EXIF
            return cls(quarter_turns=round(-frame.rotation / 90) % 4)
        if matrix is None:
            return cls()
        (a, b, _), (c, d, _), _ = np.frombuffer(matrix, np.int32).reshape(3, 3).tolist()
        is_mirrored = a * d < b * c
        if is_mirrored:
            a, b = -a, -b
        return cls(is_mirrored, round(math.atan2(b, a) / (math.pi / 2)) % 4)

    def size(self, first: int, second: int) -> tuple[int, int]:
        """Return (height, width) after it of those before it, and the other way round."""
        return (second, first) if self.quarter_turns % 2 else (first, second)

    def apply(self, pixels: Frames) -> Frames:
        """Return RGB [H, W, 3] upright; a view of what was given."""
        return np.rot90(pixels[:, ::-1] if self.is_mirrored else pixels, -self.quarter_turns)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the frames of a video look like; the size is that of the upright picture."""

    width_pixels: int
    height_pixels: int
    orientation: Orientation
    pixel_format: str
    codec: str
    pixel_aspect: float = 1.0

    @classmethod
    def of(cls, frame: VideoFrame, codec: str, pixel_aspect: float = 1.0) -> Picture:
        """Read the facts off a decoded frame."""
        orientation = Orientation.of(frame)
        height, width = shown_size(frame, orientation, pixel_aspect)
        return cls(width, height, orientation, frame.format.name, codec, pixel_aspect)


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

        Raises
        ------
        VideoError
            libswscale cannot convert the frame.
        """
        size = (width_pixels, height_pixels)
        reformatter = self._reformatters.get(size)
        if reformatter is None:
            reformatter = self._reformatters.setdefault(size, VideoReformatter())
        try:
            scaled = reformatter.reformat(
                frame,
                width=width_pixels,
                height=height_pixels,
                format="gbrp",
                interpolation=_INTERPOLATION,
                dst_color_range=_FULL_RANGE,
                threads=1,
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(
                f"a frame of {frame.width}x{frame.height} in {frame.format.name} cannot be "
                f"converted to RGB: {reason(error)}"
            ) from error
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

    __slots__ = ("_frame", "_pixel_aspect", "_scalers", "index", "pts_seconds")

    def __init__(
        self,
        index: int,
        pts_seconds: float,
        frame: VideoFrame,
        scalers: Scalers,
        pixel_aspect: float = 1.0,
    ) -> None:
        self.index = index
        self.pts_seconds = pts_seconds
        self._frame = frame
        self._scalers = scalers
        self._pixel_aspect = pixel_aspect

    @property
    def colours(self) -> Colours:
        """How its numbers stand for colours."""
        return Colours.of(self._frame)

    def rgb(self, preprocessing: Preprocessing | None = None) -> Frames:
        """Return RGB pixels uint8 [H, W, 3], upright and contiguous.

        Parameters
        ----------
        preprocessing
            The size wanted, as the network sees it; ``mean`` and ``std`` are not applied.
            ``None`` keeps the size at which it is shown, that of ``VideoInfo``: the coded one
            where pixels are square. May be called again with another one.
        """
        orientation = Orientation.of(self._frame)
        shown = shown_size(self._frame, orientation, self._pixel_aspect)
        scaled = shown if preprocessing is None else scaled_size(preprocessing, *shown)
        height, width = orientation.size(*scaled)
        # Turning the small picture costs less than turning the large one.
        pixels = orientation.apply(self._scalers.scale(self._frame, width, height))
        if preprocessing is not None and preprocessing.short_side_pixels is not None:
            pixels = _centre(pixels, preprocessing)
        return np.ascontiguousarray(pixels)


def sized(frame_HWC: Frames, preprocessing: Preprocessing) -> Frames:
    """Return a picture at the size that a network sees, uint8 [H, W, 3]; see `DecodedFrame.rgb`."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HWC), "rgb24")
    return DecodedFrame(0, 0.0, frame, Scalers()).rgb(preprocessing)


def shown_size(frame: VideoFrame, orientation: Orientation, pixel_aspect: float) -> tuple[int, int]:
    """Return (height, width) of the upright picture; coded columns are widened to square pixels."""
    return orientation.size(frame.height, max(1, round(frame.width * pixel_aspect)))


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
