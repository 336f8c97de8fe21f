"""Find objects in videos and follow them: boxes in looked-at frames, tracks over all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import Clip, Failure, Indices
from vidfit.errors import VideoError
from vidfit.hardware import hardware
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo
from vidfit.jobs.predict.looked import LookedVideo, notes_of
from vidfit.jobs.predict.objects.finder import ObjectFinder, open_finder
from vidfit.jobs.predict.objects.followed import TrackCount, followed
from vidfit.jobs.predict.objects.looks import ObjectLook, look_at, wanted_frames
from vidfit.jobs.predict.objects.options import ObjectOptions
from vidfit.jobs.predict.objects.told import told
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.jobs.predict.objects.written import OBJECT_WRITERS, check_formats, events_csv
from vidfit.study.kept import KeptRows
from vidfit.tracking.events import track_events
from vidfit.video import VideoReader


def run_objects(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield what is told of the objects in each video; files hold the boxes.

    Raises
    ------
    VidfitError
        If an option or a format is none.
    BackboneError, ModelError
        If what is asked cannot find objects here.
    StoreError
        If a file cannot be written.
    """
    options = ObjectOptions.of(asked.options)
    finder = open_finder(asked.model, asked.own)
    if asked.output:
        check_formats(asked.formats)
    videos = list(asked.videos)
    counts = [_looks(video, options) for video in videos]
    asked.progress.start("look at frames", sum(counts))
    for video, name in zip(videos, asked.names, strict=True):
        if isinstance(video, Failure):
            yield ToldOfVideo(video.name, failure=video.reason)
            continue
        try:
            yield told(_answered(video, name, finder, options, asked))
        except VideoError as error:
            yield ToldOfVideo(video.path, failure=str(error).removeprefix(f"{video.path}: "))


def _looks(video: Clip | Failure, options: ObjectOptions) -> int:
    """Return how many frames will be looked at; 0 where that cannot be known."""
    if isinstance(video, Failure):
        return 0
    try:
        with VideoReader(video.path) as reader:
            return len(wanted_frames(reader, video, options.every))
    except VideoError:
        return 0


def _answered(
    clip: Clip, name: str, finder: ObjectFinder, options: ObjectOptions, asked: AskedOfTask
) -> VideoObjects:
    """Look at a video, follow what is found, and write the files."""
    with VideoReader(clip.path) as reader:
        if why := options.outside(reader.info.width_pixels, reader.info.height_pixels):
            raise VideoError(why)
        wanted = wanted_frames(reader, clip, options.every)
        span = reader.span_of(clip)
        with _kept(asked.output, finder, clip, wanted) as kept:
            tally, tracks = _Tally(), TrackCount()
            looks = tally.counted(_looked(reader, finder, wanted, kept, asked))
            settings = options.settings
            frames = followed(looks, reader.pts_seconds, finder.classes, span, settings)
            events = track_events(tracks.counted(frames), options.lines, options.zones)
            objects = VideoObjects(
                video=LookedVideo.of(reader, clip.path, span, wanted, tally.looks),
                detector=finder.name,
                classes=finder.classes,
                cuts=tuple(tally.cuts),
                tracks=tracks.tracks(reader.pts_seconds, reader.duration_seconds),
                lines=options.lines,
                zones=options.zones,
                events=events,
                notes=notes_of(clip, reader, len(wanted), tally.looks),
            )
            if kept and asked.output:
                counted = asked.output / f"{name}.events.csv"
                if options.lines or options.zones:
                    events_csv(events, counted)
                else:
                    counted.unlink(missing_ok=True)  # it would tell of tracks of an earlier run
                for ending, write in (OBJECT_WRITERS[form] for form in asked.formats):
                    again = map(ObjectLook.of, kept.rows())
                    frames = followed(again, reader.pts_seconds, finder.classes, span, settings)
                    write(objects, frames, asked.output / f"{name}{ending}")
            return objects


def _kept(
    folder: Path | None, finder: ObjectFinder, clip: Clip, wanted: Indices
) -> KeptRows | nullcontext[None]:
    """Return where looks are kept until all files are written: a killed run goes on from there.

    What lies at a URL may be another video the next time: it is looked at anew.
    """
    if folder is None:
        return nullcontext()
    try:
        stat = Path(clip.path).stat()
        facts: list[Any] = [clip.path, stat.st_size, stat.st_mtime_ns]
    except OSError:
        facts = [clip.path]
    edges = [int(wanted[0]), int(wanted[-1]), len(wanted)]
    kept = KeptRows(folder, [finder.name, finder.revision, *facts, edges])
    if len(facts) == 1:
        kept.path.unlink(missing_ok=True)
    return kept


def _looked(
    reader: VideoReader,
    finder: ObjectFinder,
    wanted: Indices,
    kept: KeptRows | None,
    asked: AskedOfTask,
) -> Iterator[ObjectLook]:
    """Yield all looks: those that an earlier run left, then those that are left to do."""
    last = -1
    for row in kept.rows() if kept else ():
        look = ObjectLook.of(row)
        last = look.index
        asked.progress.advance()
        yield look
    # The last is looked at once more, for the next is compared with it.
    rest = wanted[max(int(np.searchsorted(wanted, last)), 0) :]
    for look in look_at(reader, finder, rest, asked.workers or hardware().cores):
        if look.index > last:
            if kept:
                kept.add(look.row())
            asked.progress.advance()
            yield look


@dataclass(slots=True)
class _Tally:
    """What is counted while looks go by."""

    looks: int = 0
    cuts: list[int] = field(default_factory=list)

    def counted(self, looks: Iterable[ObjectLook]) -> Iterator[ObjectLook]:
        for look in looks:
            self.looks += 1
            if look.is_cut:
                self.cuts.append(look.index)
            yield look
