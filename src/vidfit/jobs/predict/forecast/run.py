"""Say the frames that come after a video's last ones, and how surprising each of its frames was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Floats, Frames
from vidfit.errors import VideoError
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo
from vidfit.jobs.predict.forecast.written import (
    SurpriseRow,
    VideoAhead,
    as_data,
    check_formats,
    write_ahead,
)
from vidfit.pixels.forecast.grey import grey
from vidfit.pixels.forecast.kept import KeptForecaster, load_forecaster
from vidfit.shown import counted
from vidfit.video import VideoReader

_CHUNK = 128
"""Frames whose surprise is measured together."""


def run_forecast(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield what is told of each video; few frames are in memory at a time.

    A video that cannot be read, or is shorter than what is seen, is told of, and stops nothing.

    Raises
    ------
    VidfitError
        If a format is none.
    ModelError
        If the model is damaged.
    StoreError
        If a file cannot be written.
    """
    if asked.output:
        check_formats(asked.formats)
    kept = load_forecaster(Path(asked.model))
    for video, name in zip(asked.videos, asked.names, strict=True):
        if isinstance(video, Failure):
            yield ToldOfVideo(video.name, failure=video.reason)
            continue
        try:
            found = _forecast(video, kept, asked)
            if asked.output:
                write_ahead(found, asked.output / name, asked.formats)
        except VideoError as error:
            yield ToldOfVideo(video.path, failure=str(error).removeprefix(f"{video.path}: "))
        else:
            yield ToldOfVideo(found.path, _lines(found), as_data(found))


def _forecast(clip: Clip, kept: KeptForecaster, asked: AskedOfTask) -> VideoAhead:
    seen, side = kept.sizes.seen, kept.sizes.side_pixels
    surprising = "csv" in asked.formats and asked.output is not None
    with VideoReader(clip.path) as reader:
        first, last = reader.span_of(clip)
        if last + 1 - first < seen:
            raise VideoError(
                f"{clip.path}: it has {counted(last + 1 - first, 'frame')}, and the model sees "
                f"{seen}; give a longer video"
            )
        start = first if surprising else last + 1 - seen
        asked.progress.start(Path(clip.path).name, last + 1 - start)
        held, rows = _Held(kept), []
        for frame in reader.frames(range(start, last + 1)):
            rows += held.add(
                _GreySeen(frame.index, frame.pts_seconds, grey(frame, side)), surprising
            )
            asked.progress.advance()
        rows += held.rest(surprising)
        rate = reader.info.average_fps or 1.0
        seen_THW = held.last(seen)
        return VideoAhead(
            clip.path, float(reader.pts_seconds[last]), rate,
            (reader.info.width_pixels, reader.info.height_pixels),
            seen_THW, kept.ahead(seen_THW), tuple(rows),
            tuple(filter(None, (reader.shortfall,))),
        )  # fmt: skip


@dataclass(frozen=True)
class _GreySeen:
    """A frame as the network sees it."""

    index: int
    pts_seconds: float
    grey_HW: Frames


class _Held:
    """The frames that are still needed: a chunk, and those before it."""

    def __init__(self, kept: KeptForecaster) -> None:
        self._kept, self._frames = kept, list[_GreySeen]()
        self._seen = kept.sizes.seen

    def add(self, frame: _GreySeen, surprising: bool) -> list[SurpriseRow]:
        """Take a frame; of a full chunk its surprise is returned."""
        self._frames.append(frame)
        if len(self._frames) < self._seen + _CHUNK:
            return []
        return self.rest(surprising)

    def rest(self, surprising: bool) -> list[SurpriseRow]:
        """Return the surprise of frames that were not measured yet, and forget the others."""
        new = self._frames[self._seen :]
        rows: list[SurpriseRow] = []
        if surprising and new:
            nats_F = self._kept.surprise(self._stacked(self._frames))
            pairs = zip(new, nats_F, strict=True)
            rows = [SurpriseRow(f.pts_seconds, f.index, float(nats)) for f, nats in pairs]
        self._frames = self._frames[-self._seen :]
        return rows

    def last(self, count: int) -> Frames:
        """Return the last frames [T, H, W]."""
        return self._stacked(self._frames[-count:])

    def _stacked(self, frames: list[_GreySeen]) -> Frames:
        return np.stack([one.grey_HW for one in frames])


def _lines(found: VideoAhead) -> tuple[str, ...]:
    """Return what a person reads of a video."""
    ahead = len(found.said_AHW)
    said: Floats = found.said_AHW
    unsure = float(((said > 0.05) & (said < 0.95)).mean())
    head = (
        f"{found.path}: {counted(ahead, 'frame')} after {found.last_seconds:.2f} s; "
        f"{unsure:.0%} of their pixels between 5 and 95 %"
    )
    lines = [head]
    if found.surprise:
        most = max(found.surprise, key=lambda row: row.nats)
        lines.append(f"  most surprising: {most.seconds:.2f} s, {most.nats:.4f} nats a pixel")
    return (*lines, *(f"  {note}" for note in found.notes))
