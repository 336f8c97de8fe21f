"""What reads one damaged clip, in a process of its own."""

from __future__ import annotations

import hashlib
import multiprocessing
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import numpy as np
from av.codec.context import Flags

from benchmarks._damage import FPS, HEIGHT_PIXELS, WIDTH_PIXELS, look_alikes
from vidfit.contracts import Clip, Frames, Preprocessing, Sampling
from vidfit.errors import VideoError
from vidfit.features.views import gather_views
from vidfit.video import VideoReader
from vidfit.video.frame import Scalers

CLOCK_SECONDS = 10.0
CHECKS = {"err_detect": "crccheck+bitstream+buffer"}


@dataclass(frozen=True)
class Look:
    """What `gather_views` asks of an encoder."""

    sampling: Sampling
    preprocessing: Preprocessing


_SIZE = Preprocessing(HEIGHT_PIXELS, WIDTH_PIXELS)
LOOKS = (Look(Sampling(1, 8), _SIZE), Look(Sampling(8, 4, 0.08), _SIZE))


@dataclass(frozen=True)
class Given:
    """A picture that was given out: its digest, its time, and the original's that it looks like."""

    digest: str
    seconds: float
    original: int | None


@dataclass(frozen=True)
class Read:
    """What came of one reading: ``verdict`` is "read", "refused", "ended" or "hung"."""

    verdict: str
    pictures: tuple[Given, ...] = ()
    signs: dict[str, bool] = field(default_factory=dict)
    said: str = ""


def in_child(reading: Callable[[Path, Path], Read], clip: Path, original: Path) -> Read:
    """Read in a child process; one that dies has ended, one that outlives its clock has hung."""
    context = multiprocessing.get_context("forkserver")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(reading, clip, original, send))
    child.start()
    send.close()
    try:
        if receive.poll(CLOCK_SECONDS):
            found: Read = receive.recv()
            return found
        return Read("hung")
    except EOFError:
        return Read("ended", said="the process died")
    finally:
        child.kill()
        child.join()


def _work(reading: Callable[[Path, Path], Read], clip: Path, original: Path, send: Any) -> None:
    try:
        send.send(reading(clip, original))
    except Exception as error:  # what a reading does not expect is what this benchmark counts
        send.send(Read("ended", said=f"{type(error).__name__}: {error}"))


def by_vidfit(clip: Path, original: Path) -> Read:
    """Read as `fit` does, under three samplings."""
    pictures_FHWC = np.load(original, mmap_mode="r")
    notes: list[str] = []
    found: dict[int, Given] = {}
    try:
        with VideoReader(str(clip)) as reader:
            views = gather_views(reader, Clip(str(clip)), LOOKS, notes)
            for indices_VT, frames_VTHWC in views:
                pictures = frames_VTHWC.reshape(-1, *frames_VTHWC.shape[2:])
                for index, picture in zip(indices_VT.ravel().tolist(), pictures, strict=True):
                    if index not in found:
                        seconds = float(reader.pts_seconds[index])
                        found[index] = given(picture, seconds, pictures_FHWC)
    except VideoError as error:
        return Read("refused", said=str(error))
    return Read("read", tuple(found.values()), said="; ".join(notes))


def given(picture: Frames, seconds: float, pictures_FHWC: Frames) -> Given:
    """Look a picture up among the originals: at its time first, then around it."""
    digest = hashlib.md5(picture.tobytes()).hexdigest()
    alike = look_alikes(picture, pictures_FHWC)
    near = min(alike, key=lambda at: abs(at - seconds * FPS), default=None)
    return Given(digest, seconds, near)


def by_plain_pyav(clip: Path, original: Path) -> Read:
    """Read as PyAV's documents show it, until an error or a picture that the original has."""
    pictures_FHWC = np.load(original, mmap_mode="r")
    scalers, pictures = Scalers(), []
    try:
        with av.open(str(clip)) as container:
            for frame in container.decode(video=0):
                picture = scalers.scale(frame, WIDTH_PIXELS, HEIGHT_PIXELS)
                pictures.append(given(picture, float(frame.time or 0.0), pictures_FHWC))
                if pictures[-1].original is not None:  # one is enough to be of use
                    break
    except (av.error.FFmpegError, ValueError, IndexError, AttributeError, VideoError):
        pass
    return Read("read" if pictures else "refused", tuple(pictures))


def with_every_check(clip: Path, original: Path) -> Read:
    """Decode from end to end, whatever is refused, and note which pictures carry a sign."""
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture(), av.open(str(clip), metadata_errors="replace") as container:
            return _signs(container, np.load(original, mmap_mode="r"))
    except (av.error.FFmpegError, ValueError, IndexError, AttributeError):
        return Read("refused")


def _signs(container: Any, pictures_FHWC: Frames) -> Read:
    stream = container.streams.video[0]
    codec = stream.codec_context
    codec.thread_count, codec.options = 1, CHECKS
    codec.flags |= Flags.copy_opaque
    told: set[int] = set()
    keyframes: list[int] = []
    shown: list[tuple[int, Given]] = []
    scalers, position = Scalers(), -1
    packets = container.demux(stream)
    while True:
        with av.logging.Capture() as logs:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                packet = None
            position += packet is not None and packet.size > 0
            try:
                if packet is not None and packet.size:
                    packet.opaque = [position]
                    keyframes += [position] * packet.is_keyframe
                    told |= {position} if packet.is_corrupt else set()
                frames = codec.decode(packet if packet is not None and packet.size else None)
            except (av.error.FFmpegError, ValueError):
                frames, told = [], told | {position}
        told |= {position} if logs else set()
        for frame in frames:
            at = position if frame.opaque is None else frame.opaque[0]
            told |= {at} if frame.is_corrupt else set()
            picture = scalers.scale(frame, WIDTH_PIXELS, HEIGHT_PIXELS)
            # What comes out at the end has lost its time base.
            seconds = float((frame.pts or 0) * stream.time_base)
            shown.append((at, given(picture, seconds, pictures_FHWC)))
        if packet is None or not packet.size:
            break
    first = min((one.seconds for _, one in shown), default=0.0)
    from_first = [(at, replace(one, seconds=one.seconds - first)) for at, one in shown]
    return Read("read", *_judged(from_first, keyframes, sorted(told)))


def _judged(
    shown: list[tuple[int, Given]], keyframes: list[int], told: list[int]
) -> tuple[tuple[Given, ...], dict[str, bool]]:
    signs: dict[str, bool] = {}
    for at, one in shown:
        before = bisect_right(keyframes, at) - 1
        start = keyframes[before] if before >= 0 else 0
        sign = bisect_right(told, at) > bisect_right(told, start - 1)
        signs[one.digest] = signs.get(one.digest, True) and sign
    return tuple(one for _, one in shown), signs
