"""A copy of a video that every browser plays, with each frame at its own time.

H.264 in MP4 with its index in front. Nothing is remuxed: of a transport stream a remux showed
another frame than the one sought. Keyframes stand every 30 frames, so that a seek decodes few.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.error

from vidfit.contracts import Preprocessing
from vidfit.errors import VideoError
from vidfit.files import temporary_in
from vidfit.serve.stills import check_count, check_size
from vidfit.video import Audio, VideoReader
from vidfit.video.source import reason
from vidfit.video.write import AudioCopy

PROXY = "proxy.mp4"
WIDTH_PIXELS = 640
OPTIONS = {"preset": "ultrafast", "crf": "26", "g": "30", "bf": "0"}
_TICK = Fraction(1, 90_000)


def make_proxy(path: str, folder: Path) -> None:
    """Write `PROXY` into a folder; it appears when it is whole.

    Frames have the times of the original, whatever its rate; those that are damaged are left out.

    Raises
    ------
    VideoError
        If the video cannot be read, nothing of it, or it is larger or longer than what is shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = temporary_in(folder, ".mp4")
    try:
        with VideoReader(path) as reader:
            _encode(reader, path, unfinished)
        unfinished.replace(folder / PROXY)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: no copy can be made for the browser: {reason(error)}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(reader: VideoReader, path: str, into: Path) -> None:
    check_count(path, len(reader.pts_seconds))  # before its first frame is decoded
    info = reader.info
    check_size(path, info.width_pixels, info.height_pixels)
    width = min(WIDTH_PIXELS, info.width_pixels) // 2 * 2 or 2
    height = max(2, round(info.height_pixels * width / info.width_pixels / 2) * 2)
    size = Preprocessing(height, width)
    options = {"movflags": "faststart"}
    with av.open(str(into), mode="w", options=options) as container:
        stream = container.add_stream("libx264", rate=30, options=dict(OPTIONS))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = _TICK
        heard = _heard(path, container)
        try:
            for frame in reader.sound_frames():
                if heard:
                    heard.write(until_seconds=frame.pts_seconds)
                picture = av.VideoFrame.from_ndarray(frame.rgb(size), format="rgb24")
                picture.pts, picture.time_base = round(frame.pts_seconds / _TICK), _TICK
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
            if heard:
                heard.write()
        finally:
            if heard:
                heard.close()


def _heard(path: str, container: av.container.OutputContainer) -> AudioCopy | None:
    """Return the sound of a video; what has none, or none that can be read, is silent."""
    try:
        return AudioCopy(Audio(path), container)
    except (VideoError, av.error.FFmpegError, ValueError):
        return None
