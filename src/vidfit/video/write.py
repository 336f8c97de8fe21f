"""Write frames to a video file, and carry the audio of another over to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidfit.contracts import Frames
from vidfit.errors import VideoError
from vidfit.files import temporary_in
from vidfit.video.colours import Colours
from vidfit.video.source import best_video, open_container, reason

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer


@dataclass(frozen=True, slots=True)
class _Encoding:
    fps: Fraction
    codec: str
    pixel_format: str
    options: dict[str, str]
    colours: Colours | None


def write_video(  # noqa: PLR0913  (as FFmpeg has them)
    path: str | Path,
    frames: Iterable[Frames],
    fps: float,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    audio: Audio | None = None,
    colours: Colours | None = None,
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
    colours
        Matrix and range that are written, and told to who plays it; ``None`` leaves them to
        FFmpeg, which takes BT.601 in limited range and tells nothing.

    Raises
    ------
    VideoError
        No frames, frames of another shape or type, or the encoder refuses.
    """
    path = Path(path)
    encoding = _Encoding(frame_rate(path, fps), codec, pixel_format, options or {}, colours)
    try:
        with unfinished(path) as new:
            _encode(new, iter(frames), encoding, audio)
    except VideoError as error:
        raise VideoError(f"{path}: {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: cannot be written: {reason(error)}") from error


def frame_rate(path: Path, fps: float) -> Fraction:
    """Return frames a second as a file has them.

    Raises
    ------
    VideoError
        If it is none that a video can have.
    """
    if not 0 < fps <= 1000:
        raise VideoError(f"{path}: fps must be above 0 and at most 1000, got {fps:g}")
    return Fraction(fps).limit_denominator(65535)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Give a name beside a file to write to, which becomes the file when all went well."""
    new = temporary_in(path.parent, path.suffix)
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


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
        if encoding.colours:
            encoding.colours.tell(stream.codec_context)
        reformatter = VideoReformatter()
        heard = AudioCopy(audio, container) if audio else None
        if heard:
            stack.callback(heard.close)
        for shown, frame in enumerate(chain([first], frames)):
            if heard:  # beside the pictures of its time, so that a player finds both
                heard.write(until_seconds=float(shown / encoding.fps))
            picture = _padded(frame, first.shape, even)
            container.mux(stream.encode(_as_frame(picture, encoding, reformatter)))
        container.mux(stream.encode(None))
        if heard:
            heard.write()


def _as_frame(
    picture_HWC: Frames, encoding: _Encoding, reformatter: VideoReformatter
) -> av.VideoFrame:
    if encoding.colours:
        return encoding.colours.frame(picture_HWC, encoding.pixel_format, reformatter)
    return av.VideoFrame.from_ndarray(picture_HWC, format="rgb24")


def _padded(frame: Frames, shape: tuple[int, ...], even: bool) -> Frames:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.shape != shape:
        raise VideoError(
            f"frames must be uint8 [H, W, 3] of one size; got {frame.dtype} {list(frame.shape)} "
            f"where the first was {list(shape)}"
        )
    if not even:
        return np.ascontiguousarray(frame)
    return np.pad(frame, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)), mode="edge")


@dataclass(frozen=True, slots=True)
class Audio:
    """What is heard in a span of a video; times in seconds from its first picture.

    ``end_seconds`` is ``None`` for the end of the video.
    """

    path: str
    start_seconds: float = 0.0
    end_seconds: float | None = None


class AudioCopy:
    """The best audio stream of a span, written into another file beside its pictures.

    Packets are copied as they are where the container holds their codec, else encoded as AAC. A
    stream that breaks off is carried over up to there. A video without audio gives none.

    Raises
    ------
    VideoError
        The video cannot be opened.
    """

    def __init__(self, audio: Audio, output: OutputContainer) -> None:
        self._audio, self._output = audio, output
        self._input = open_container(audio.path)
        self._packets = self._read()
        self._next = next(self._packets, None)

    def write(self, until_seconds: float | None = None) -> None:
        """Write what is heard before a time of the copy, or all that is left."""
        while self._next and (until_seconds is None or self._next[0] < until_seconds):
            self._output.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the video."""
        opened_file = getattr(self._input.file, "file", None)
        self._packets = iter(())
        self._input.close()
        if opened_file is not None:  # fsspec's, which PyAV leaves open
            opened_file.close()

    def _read(self) -> Iterator[tuple[float, Packet[AudioStream]]]:
        """Yield packets with their times in the copy."""
        stream = cast("AudioStream | None", self._input.streams.best("audio"))
        if stream is None or stream.codec_context is None:
            return
        start = _origin_seconds(self._input) + self._audio.start_seconds
        end = self._audio.end_seconds
        length = float("inf") if end is None else end - self._audio.start_seconds
        fits = stream.codec_context.name in self._output.supported_codecs
        read = self._copied if fits else self._encoded
        try:
            for at, packet in read(stream, start):
                if at >= length:
                    return
                yield at, packet
        except (av.error.FFmpegError, OSError):  # it breaks off: what lies before is there
            return

    def _copied(
        self, stream: AudioStream, start: float
    ) -> Iterator[tuple[float, Packet[AudioStream]]]:
        into = self._output.add_stream_from_template(stream)
        for packet in self._input.demux(stream):
            if packet.pts is None or packet.time_base is None:
                continue
            shift = round(start / packet.time_base)
            at = float((packet.pts - shift) * packet.time_base)
            if at < 0:
                continue
            packet.pts -= shift
            packet.dts = packet.pts  # audio is stored in the order in which it is heard
            packet.stream = into
            yield at, packet

    def _encoded(
        self, stream: AudioStream, start: float
    ) -> Iterator[tuple[float, Packet[AudioStream]]]:
        into = self._output.add_stream("aac", rate=stream.codec_context.sample_rate)
        for frame in self._input.decode(stream):
            if frame.pts is None or frame.time_base is None:
                continue
            at = float(frame.pts * frame.time_base) - start
            if at < 0:
                continue
            frame.pts = round(at / frame.time_base)
            for packet in into.encode(frame):
                yield at, packet
        for packet in into.encode(None):
            yield float((packet.pts or 0) * (packet.time_base or 0)), packet


def _origin_seconds(container: InputContainer) -> float:
    """Return the time of the first picture on the clock of the file."""
    stream = best_video(container)
    if stream is None or stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base)
