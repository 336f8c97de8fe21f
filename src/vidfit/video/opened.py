"""One video stream, opened: packets out of the file, frames out of the codec."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av.error
import av.logging
from av.codec.context import Flags
from av.stream import Discard

from vidfit.errors import VideoError
from vidfit.video.frame import Picture
from vidfit.video.limits import ASPECT_MAX, PIXELS_MAX
from vidfit.video.source import DECODER_OPTIONS, best_video, demuxed, open_container, reason

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream


class OpenStream:
    """The best video stream of a file, read with one codec thread; the others are not read.

    Attributes
    ----------
    refusal, refused_because
        Why the codec refused the last packet, empty when it did not; the last time that it did,
        in brackets.
    lacked_memory
        The codec had no memory for a frame, which is no damage.
    messages
        Errors that the codec wrote on the last packet.
    stumbled
        The container had an error to tell of before the last packet that was read.
    broke_off
        Reading ended in an error, not at the end of the file.

    Raises
    ------
    VideoError
        The file cannot be opened as a video, or no decoder is there for it.
    """

    def __init__(self, path: str, *, look_inside: bool = True) -> None:
        self.path = path
        _listen()
        self.refusal = self.refused_because = ""
        self.stumbled = self.broke_off = self.lacked_memory = False
        self.messages: frozenset[str] = frozenset()
        self._container = open_container(path, look_inside=look_inside)
        try:
            self.stream = self._best()
        except BaseException:
            self._container.close()
            raise
        for stream in self._container.streams:
            if stream.index != self.stream.index:
                stream.discard = Discard.all
        self._codec = self.stream.codec_context
        self._codec.thread_count = 1
        self._codec.options = {**DECODER_OPTIONS, **_CHECKS}
        self.formats = set(self._container.format.name.split(","))
        self.picture: Picture | None = None
        self._packets = self._read()

    def close(self) -> None:
        """Close the file."""
        opened_file = getattr(self._container.file, "file", None)
        # Packets to come hold on to this object, and with it the codec's memory would wait for
        # the next collection of cycles: in 10,000 videos that came to 100 MB.
        self._packets = iter(())
        self._container.close()
        if opened_file is not None:  # fsspec's, which PyAV leaves open
            opened_file.close()

    def _best(self) -> VideoStream:
        """Return the stream that FFmpeg would show, if there is a decoder for it."""
        stream = best_video(self._container)
        if (
            stream is None or stream.codec_context is None
        ):  # as PyAV has it for a codec that it does not know
            raise VideoError(
                f"{self.path}: there is no decoder for its video stream; write it anew in "
                "another codec, or look whether its header is damaged"
            )
        return stream

    def _read(self) -> Iterator[Packet[VideoStream]]:
        try:
            with demuxed(self._container, self.stream) as packets:
                yield from (packet for packet in packets if packet.size)
        except (av.error.FFmpegError, OSError):
            self.broke_off = True  # what lies beyond is missed by who wants it

    def read(self) -> Packet[VideoStream] | None:
        """Return the next packet, or ``None`` at the end or where the file breaks off."""
        with av.logging.Capture() as logs:
            packet = next(self._packets, None)
        self.stumbled = any(_tells(level, text) for level, _, text in logs)
        return packet

    def seek(self, ticks: int) -> Packet[VideoStream] | None:
        """Go to a keyframe near a timestamp; return the packet that will be read next, if any.

        What the codec holds is forgotten.
        """
        try:
            self._container.seek(ticks, stream=self.stream)
        except (av.error.FFmpegError, OSError):
            return None
        packets = self._read()
        first = next(packets, None)
        if first is None:
            return None
        self._packets = chain([first], packets)
        return first

    def decode(
        self, packet: Packet[VideoStream] | None, may_skip: bool = False
    ) -> list[VideoFrame]:
        """Return the frames that come out after a packet; ``None`` empties the codec.

        Of a packet that the codec refuses nothing comes out: ``refusal`` says why.
        With ``may_skip`` the codec leaves the packet out if no other frame refers to it.
        """
        self._codec.skip_frame = "NONREF" if may_skip else "DEFAULT"
        self.refusal = ""
        with av.logging.Capture() as logs:
            try:
                frames = self._codec.decode(packet)
            except (av.error.FFmpegError, ValueError) as error:
                invalid = isinstance(error, av.error.InvalidDataError)
                self.refusal = "the decoder refuses the data" if invalid else reason(error)
                self.lacked_memory |= isinstance(error, MemoryError)
                frames = []
        self.messages = frozenset(text for level, _, text in logs if _tells(level, text))
        if self.refusal:
            self.refused_because = f" ({self.refusal})"
        if frames and self.picture is None:
            name = self._codec.codec.canonical_name
            self.picture = Picture.of(frames[0], name, pixel_aspect(self.stream))
        return frames

    def decode_all(self) -> Iterator[tuple[Packet[VideoStream] | None, list[VideoFrame]]]:
        """Yield each packet with the frames that came out after it; ``None`` comes last."""
        while (packet := self.read()) is not None:
            yield packet, self.decode(packet)
        yield None, self.decode(None)

    @property
    def reorder_depth(self) -> int:
        """How many frames the codec expects to hold back, as far as the header tells."""
        return self._codec.reorder_depth

    def forget(self) -> None:
        """Empty the codec, so that it can begin at a keyframe."""
        self._codec.flush_buffers()

    def without_picture(self) -> VideoError:
        """Say that nothing can be decoded, and what it may come of."""
        # FFmpeg takes no size that is beyond the limit.
        large = f", or its pictures have more than {PIXELS_MAX:,} pixels"
        return VideoError(
            f"{self.path}: no picture can be decoded from its {self._codec.name} stream; the file "
            f"is damaged or cut short{'' if self._codec.width else large}{self.refused_because}"
        )

    def mark_frames(self) -> None:
        """Have frames carry what their packets carry as ``opaque``."""
        self._codec.flags |= Flags.copy_opaque

    def can_drop(self) -> bool:
        """Whether frames that no other refers to are marked so beyond doubt.

        In HEVC the mark holds within one temporal layer, so there must be only one; the
        count is in byte 21 of the hvcC record (ISO/IEC 14496-15, 8.3.3.1).
        """
        if self._codec.name != "hevc":
            return self._codec.name in _DROPPABLE_CODECS
        record = self._codec.extradata or b""
        return len(record) > 22 and record[0] == 1 and (record[21] >> 3) & 7 == 1


def pixel_aspect(stream: VideoStream) -> float:
    """Return how wide a pixel is shown by its height: what the container says, then the codec."""
    codec = stream.codec_context.sample_aspect_ratio  # known late, if the file was opened lightly
    aspect = float(stream.sample_aspect_ratio or codec or 1)
    return aspect if 1 / ASPECT_MAX <= aspect <= ASPECT_MAX else 1.0


def open_lightly(path: str) -> OpenStream:
    """Open a stream without decoding, where the container tells all that is needed.

    The caller must hold ``PacketIndex.reorder_depth`` against the codec's.
    """
    if Path(path).suffix.lower() in _TELLING_SUFFIXES:
        opened = OpenStream(path, look_inside=False)
        if "mov" in opened.formats:
            return opened
        opened.close()
    return OpenStream(path)


def _listen() -> None:
    """Have FFmpeg's errors captured where a packet is decoded, and shown nowhere."""
    level = av.logging.get_level()
    if level is None or level < av.logging.ERROR:
        logging.getLogger("libav").setLevel(logging.CRITICAL)  # PyAV is silent by default
        av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # one that is left out would be told of another packet


def _tells(level: int, text: str) -> bool:
    """Whether a message is of damage; "mmco" is drawn by a seek into sound H.264."""
    return level <= av.logging.ERROR and not text.startswith("mmco:")


_CHECKS = {"err_detect": "crccheck+bitstream+buffer"}

_TELLING_SUFFIXES = frozenset({".m4v", ".mov", ".mp4"})

# Codecs whose non-reference frames can be left out without a change to any other frame.
_DROPPABLE_CODECS = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "vp8", "vp9"})
