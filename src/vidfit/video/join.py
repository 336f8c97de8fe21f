"""Parts of a video put one after the other, without encoding them anew."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import av.error

from vidfit.errors import VideoError
from vidfit.video.source import reason
from vidfit.video.write import Audio, AudioCopy, frame_rate, unfinished


def join_videos(
    path: str | Path, parts: Sequence[Path], fps: float, *, audio: Audio | None = None
) -> None:
    """Copy the pictures of parts into one file; it appears under its name when it is complete.

    Parameters
    ----------
    parts
        In their order, written by `write_video` with the same options and frames of one size.
    fps
        Frames a second, as the parts were written with.
    audio
        What is heard beside all of them.

    Raises
    ------
    VideoError
        If there are no parts, one cannot be read, or the file cannot be written.
    """
    path = Path(path)
    if not parts:
        raise VideoError(f"{path}: there are no frames to write; give at least one")
    try:
        with unfinished(path) as new:
            _join(new, parts, frame_rate(path, fps), audio)
    except VideoError as error:
        raise VideoError(f"{path}: {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: cannot be written: {reason(error)}") from error


def _join(path: Path, parts: Sequence[Path], rate: Fraction, audio: Audio | None) -> None:
    with av.open(str(path), mode="w") as container, ExitStack() as stack:
        with av.open(str(parts[0])) as first:
            stream = container.add_stream_from_template(first.streams.video[0])
        heard = AudioCopy(audio, container) if audio else None
        if heard:
            stack.callback(heard.close)
        frames = 0
        for part in parts:
            with av.open(str(part)) as read:
                began = frames / rate
                for packet in read.demux(video=0):
                    if packet.pts is None or packet.dts is None or packet.time_base is None:
                        continue  # the end
                    if heard:
                        heard.write(until_seconds=float(frames / rate))
                    shift = round(began / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    container.mux(packet)
                    frames += 1
        if heard:
            heard.write()
