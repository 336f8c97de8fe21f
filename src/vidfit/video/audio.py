"""The audio of a video, carried over to a copy of its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av.error
from av.audio.stream import AudioStream

from vidfit.video.source import best_video, open_container

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer


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
