"""How the numbers of a file stand for colours: matrix, range, primaries and transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from vidfit.contracts import Frames

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

_MATRICES = {1: "BT.709", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020"}
"""By their numbers in ITU-T H.273; what is none of these is read as BT.601."""

_USUAL, _FULL, _LIMITED = 6, 2, 1
_UNKNOWN = 2
_SWS_MATRIX = {1: 1, 5: 5, 6: 5, 7: 7, 9: 9}
"""libswscale's number of each."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Numbers of ITU-T H.273: matrix, primaries and transfer; and whether 0 to 255 is used."""

    matrix: int = _USUAL
    is_full: bool = False
    primaries: int = _UNKNOWN
    transfer: int = _UNKNOWN

    @classmethod
    def of(cls, frame: VideoFrame) -> Colours:
        """Read them off a frame; one of RGB, or without a matrix, counts as BT.601."""
        matrix = int(frame.colorspace)
        if matrix not in _MATRICES:
            return cls()
        full = int(frame.color_range) == _FULL
        return cls(matrix, full, int(frame.color_primaries), int(frame.color_trc))

    @property
    def text(self) -> str:
        """Matrix and range, in words."""
        return f"{_MATRICES[self.matrix]}, {'full' if self.is_full else 'limited'} range"

    def tell(self, context: VideoCodecContext) -> None:
        """Write them into the file that an encoder makes."""
        context.colorspace = self.matrix
        context.color_range = self._range
        context.color_primaries = self.primaries
        context.color_trc = self.transfer

    def frame(
        self, rgb_HWC: Frames, pixel_format: str, reformatter: VideoReformatter
    ) -> VideoFrame:
        """Return an RGB picture as a frame in these colours."""
        made = reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(rgb_HWC), format="rgb24"),
            format=pixel_format,
            dst_colorspace=_SWS_MATRIX[self.matrix],
            dst_color_range=self._range,
        )
        made.colorspace, made.color_range = self.matrix, self._range
        return made

    @property
    def _range(self) -> int:
        return _FULL if self.is_full else _LIMITED
