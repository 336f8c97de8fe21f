"""Write frames to a video file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.video.stream import VideoStream

from vidfit.contracts import Frames
from vidfit.errors import VideoError
from vidfit.video.audio import Audio, AudioCopy
from vidfit.video.source import reason


@dataclass(frozen=True, slots=True)
class _Encoding:
    fps: Fraction
    codec: str
    pixel_format: str
    options: dict[str, str]


def write_video(  # noqa: PLR0913  (as FFmpeg has them)
    path: str | Path,
    frames: Iterable[Frames],
    fps: float,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    audio: Audio | None = None,
) -> None:
    """Encode frames; the file appears under its name only when it is complete.

    Parameters
    ----------
    path
        Where to; the ending chooses the container (``.mp4``, ``.mkv``, ``.gif``...).
    frames
        RGB uint8 [H, W, 3], all of one size; taken one at a time.
    fps
        Frames a second.
    codec, pixel_format, options
        As FFmpeg names them. With a ``yuv420p`` format an odd last row or column is
        repeated once, as encoders want even sizes.
    audio
        What is heard beside the frames, from another video; ``None`` for silence.

    Raises
    ------
    VideoError
        No frames, frames of another shape or type, or the encoder refuses.
    """
    path = Path(path)
    if not 0 < fps <= 1000:
        raise VideoError(f"{path}: fps must be above 0 and at most 1000, got {fps:g}")
    rate = Fraction(fps).limit_denominator(65535)
    encoding = _Encoding(rate, codec, pixel_format, options or {})
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        _encode(unfinished, iter(frames), encoding, audio)
        unfinished.replace(path)
    except VideoError as error:
        raise VideoError(f"{path}: {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: cannot be written: {reason(error)}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(path: Path, frames: Iterator[Frames], encoding: _Encoding, audio: Audio | None) -> None:
    first = next(frames, None)
    if first is None:
        raise VideoError("there are no frames to write; give at least one")
    if av.Codec(encoding.codec, "w").type != "video":
        raise VideoError(f"{encoding.codec} is not a video codec; try libx264")
    even = encoding.pixel_format.startswith("yuv420p")
    picture = _padded(first, first.shape, even)
    with av.open(str(path), mode="w") as container, ExitStack() as stack:
        stream = cast(
            VideoStream,
            container.add_stream(encoding.codec, rate=encoding.fps, options=encoding.options),
        )
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = encoding.pixel_format
        heard = AudioCopy(audio, container) if audio else None
        if heard:
            stack.callback(heard.close)
        for shown, frame in enumerate(chain([first], frames)):
            if heard:  # beside the pictures of its time, so that a player finds both
                heard.write(until_seconds=float(shown / encoding.fps))
            picture = _padded(frame, first.shape, even)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
        if heard:
            heard.write()


def _padded(frame: Frames, shape: tuple[int, ...], even: bool) -> Frames:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.shape != shape:
        raise VideoError(
            f"frames must be uint8 [H, W, 3] of one size; got {frame.dtype} {list(frame.shape)} "
            f"where the first was {list(shape)}"
        )
    if not even:
        return np.ascontiguousarray(frame)
    return np.pad(frame, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)), mode="edge")
