"""The sound of a file by time: mono samples of one rate, each as a full decode gives it.

What a codec makes of a packet depends on those before it (Opus, AAC and MP3 carry state over), so
that no seek is exact to the sample: a reader goes forward from where it is, and begins again to go
back. An hour of sound takes a few seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from av.stream import Discard

from vidfit.contracts import Floats
from vidfit.errors import VideoError
from vidfit.video.hold import Hold
from vidfit.video.limits import SECONDS_MAX
from vidfit.video.member import split_member
from vidfit.video.names import is_folder, is_photo
from vidfit.video.source import best_video, demuxed, is_url, open_container
from vidfit.video.stored import holds_frames

if TYPE_CHECKING:
    from av import AudioFrame

SLACK_SECONDS = 0.04
"""Timestamps that are off by less are rounding; a longer gap is silence, an overlap is cut."""

_BLOCK_SECONDS = 10.0


class SoundReader:
    """Samples of the sound of one file, mono float32 in [-1, 1]; one reader serves one thread.

    Sample n is heard n / ``rate_hertz`` seconds after the first frame of the pictures, or after
    the first sample where there are none. Where packets are missing or damaged there is silence.

    Parameters
    ----------
    path
        A file of sound or video, a URL that fsspec can open, or a member of a shard.
    rate_hertz
        Samples a second.

    Raises
    ------
    VideoError
        It cannot be opened, or has no sound; the message says why in one line.
    """

    def __init__(self, path: str, rate_hertz: int) -> None:
        if _is_silent(path):
            raise VideoError(f"{path}: has no sound, only pictures")
        self.path, self.rate_hertz = path, rate_hertz
        self.damaged = 0
        self._held = np.zeros(0, np.float32)
        self._parts: Iterator[Floats] = iter(())
        self._begin()
        self._hold = Hold(path, self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, once samples that are being decoded in another thread are there."""
        self._hold.end()

    def _end(self) -> None:
        opened_file = getattr(self._container.file, "file", None)
        self._parts = iter(())
        self._container.close()
        if opened_file is not None:  # fsspec's, which PyAV leaves open
            opened_file.close()

    @property
    def stated_seconds(self) -> float:
        """How long the file says that it is; 0 where it does not say."""
        return float(self._container.duration or 0) / av.time_base

    @cached_property
    def count(self) -> int:
        """How many samples there are; the first use decodes all of them."""
        with SoundReader(self.path, self.rate_hertz) as other:
            return sum(map(len, other._parts))

    def samples(self, first: int, stop: int | None = None) -> Floats:
        """Return the samples [S] from one on; fewer where the sound ends earlier.

        Parameters
        ----------
        first, stop
            Numbers of samples, from 0; ``None`` is the end of the sound.

        Raises
        ------
        VideoError
            If no sound can be decoded, or the reader is closed.
        """
        with self._hold:
            return self._samples(first, stop)

    def _samples(self, first: int, stop: int | None) -> Floats:
        if first < self._at:
            self._end()
            self._begin()
        taken: list[Floats] = []
        while stop is None or self._at < stop:
            if not len(self._held):
                part_S = next(self._parts, None)
                if part_S is None:
                    break
                self._held = part_S
                continue
            end = len(self._held) if stop is None else min(stop - self._at, len(self._held))
            skip = min(max(first - self._at, 0), end)
            taken.append(self._held[skip:end])
            self._at += end
            self._held = self._held[end:]
        return np.concatenate(taken) if taken else np.zeros(0, np.float32)

    def blocks(self, seconds: float = _BLOCK_SECONDS) -> Iterator[Floats]:
        """Yield all samples in blocks [S] of some seconds, the last one shorter.

        Memory does not grow with the length of the sound.
        """
        size, at = round(seconds * self.rate_hertz), 0
        while len(block_S := self.samples(at, at + size)):
            yield block_S
            at += size

    def _begin(self) -> None:
        self._container = open_container(self.path, sound=True)
        best = self._container.streams.best("audio")
        self._stream = next(
            s for s in self._container.streams.audio if best and s.index == best.index
        )
        if self._stream.codec_context is None:
            self._container.close()
            raise VideoError(f"{self.path}: there is no decoder for its sound")
        for stream in self._container.streams:
            if stream.index != self._stream.index:
                stream.discard = Discard.all
        self._stream.codec_context.thread_count = 1
        self._at, self._held = 0, np.zeros(0, np.float32)
        self._parts = self._placed()

    def _placed(self) -> Iterator[Floats]:
        """Yield samples from the first moment on, without a gap."""
        origin, line = self._origin(), None
        kind: tuple[str, str, int] | None = None
        resampler = self._resampler()
        for frame in self._frames():
            seconds = _pts_seconds(frame)
            origin = seconds if origin is None else origin
            held = line.at if line else 0
            place = held if seconds is None else round((seconds - (origin or 0)) * self.rate_hertz)
            was, kind = kind, (frame.format.name, frame.layout.name, frame.sample_rate)
            far = abs(place - held) > SLACK_SECONDS * self.rate_hertz
            if line is None or far or kind != was:
                if line:
                    yield from map(line.put, _resampled(resampler, None))
                line, resampler = _Line(place, line.out if line else 0), self._resampler()
                self._check(line)
                yield from line.silence(round(_BLOCK_SECONDS * self.rate_hertz))
            yield from map(line.put, _resampled(resampler, frame))
        if line is None:
            raise VideoError(f"{self.path}: no sound can be decoded; the track is damaged or empty")
        yield from map(line.put, _resampled(resampler, None))

    def _check(self, line: _Line) -> None:
        """Refuse sound that is too far from the beginning, before the silence up to it is made."""
        if line.at > SECONDS_MAX * self.rate_hertz:
            raise VideoError(
                f"{self.path}: its sound goes on at {line.at / self.rate_hertz:,.0f} s, at most "
                f"{SECONDS_MAX:,.0f} are read; its timestamps are damaged, or cut it in parts"
            )

    def _origin(self) -> float | None:
        """Return when the first picture is shown, by the clock of the file."""
        video = best_video(self._container)
        if video is None or video.start_time is None or video.time_base is None:
            return None
        return float(video.start_time * video.time_base)

    def _resampler(self) -> AudioResampler:
        return AudioResampler(format="flt", layout="mono", rate=self.rate_hertz)

    def _frames(self) -> Iterator[AudioFrame]:
        """Yield what can be decoded; a damaged packet is counted and passed over."""
        with demuxed(self._container, self._stream) as packets:
            while True:
                try:
                    packet = next(packets, None)
                except (av.error.FFmpegError, OSError):
                    self.damaged += 1
                    return
                if packet is None:
                    return
                try:
                    yield from self._stream.codec_context.decode(packet)
                except (av.error.FFmpegError, ValueError):
                    self.damaged += 1


@dataclass
class _Line:
    """Where the next sample of a resampler belongs, and what was given out, in samples."""

    at: int
    out: int

    def silence(self, most: int) -> Iterator[Floats]:
        """Yield what is missing up to the next sample, in blocks of so many samples at most."""
        while (missing := min(self.at - self.out, most)) > 0:
            self.out += missing
            yield np.zeros(missing, np.float32)

    def put(self, samples_S: Floats) -> Floats:
        """Return of the next samples those that were not there already."""
        new_S = samples_S[max(self.out - self.at, 0) :]
        self.at += len(samples_S)
        self.out = max(self.out, self.at)
        return new_S


def _is_silent(path: str) -> bool:
    """Return whether a path names pictures alone: a photo, a folder or stored frames."""
    if split_member(path):
        return holds_frames(path)
    return not is_url(path) and (is_folder(path) or is_photo(Path(path)))


def _pts_seconds(frame: AudioFrame) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Floats]:
    """Yield samples that come out after a frame; ``None`` empties the resampler."""
    for one in resampler.resample(frame):
        yield np.array(one.to_ndarray().reshape(-1), np.float32)
