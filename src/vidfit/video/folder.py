"""A folder of frame images, or one photo, read like a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av.error
import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.errors import VideoError
from vidfit.video.frame import Picture
from vidfit.video.info import Timing
from vidfit.video.names import is_photo
from vidfit.video.source import check_photo, frame_files, open_image, reason

if TYPE_CHECKING:
    from av import VideoFrame

FOLDER_FPS = 25.0
"""Frames per second of a folder of frames, which cannot say its own."""


class FolderDecoder:
    """Frames of a folder in natural order of their names, ``FOLDER_FPS`` a second; or a photo."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._files = frame_files(Path(path))
        if is_photo(Path(path)):
            check_photo(Path(path))
        self.keyframe_count = self.declared_count = len(self._files)
        self.pixel_aspect = 1.0  # what images say of it is the density of a printer
        self.cut_short = False
        self.timing = Timing(np.arange(len(self._files)) / FOLDER_FPS, 1 / FOLDER_FPS, 0.0)

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def alone(self) -> Indices:
        """Frames that decode alone: all."""
        return np.arange(len(self._files))

    def picture(self) -> Picture:
        """Look at the first image."""
        return Picture.of(read_image(self._files[0]), self._files[0].suffix[1:].lower())

    def frames(self, wanted: Indices) -> Iterator[tuple[int, VideoFrame]]:
        """Yield (index, frame) for indices that lie within the folder."""
        for index in wanted.tolist():
            yield index, read_image(self._files[index])

    def sound(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which of the images ``first`` to ``last`` can be decoded."""
        return np.array([_is_image(file) for file in self._files[first : last + 1]])


def _is_image(file: Path) -> bool:
    try:
        read_image(file)
    except VideoError:
        return False
    return True


def read_image(file: Path) -> VideoFrame:
    """Decode one image file.

    Raises
    ------
    VideoError
        The file is not an image, or is damaged.
    """
    container = open_image(file)
    try:
        return next(container.decode(video=0))
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        raise VideoError(f"{file}: cannot be read as an image: {reason(error)}") from error
    finally:
        container.close()
        container.file.file.close()
