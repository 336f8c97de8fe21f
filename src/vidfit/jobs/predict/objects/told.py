"""What is said of the objects of one video on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vidfit.jobs.predict.by_task import ToldOfVideo
from vidfit.jobs.predict.looked import as_data
from vidfit.jobs.predict.objects.value import VideoObjects
from vidfit.report.wording import percent
from vidfit.shown import counted
from vidfit.tracking.events import zone_counts

_TOLD_TRACKS = 20
"""Most tracks that are told; the files have all."""


def told(objects: VideoObjects) -> ToldOfVideo:
    """Return the facts, the first tracks, and what was counted."""
    return ToldOfVideo(objects.video.path, tuple(_lines(objects)), as_data(objects))


def _lines(objects: VideoObjects) -> Iterator[str]:
    counts = Counter(track.label for track in objects.tracks)
    kinds = ", ".join(f"{count} {label}" for label, count in counts.most_common())
    video = objects.video
    span = video.last_frame + 1 - video.first_frame
    yield (
        f"{video.path}  {video.duration_seconds:.2f} s, {video.frames_seen} of {span} frames "
        f"looked at, {counted(len(objects.tracks), 'track')}{': ' if kinds else ''}{kinds}"
    )
    for one in objects.tracks[:_TOLD_TRACKS]:
        yield (
            f"  {one.start_seconds:8.2f} - {one.end_seconds:8.2f} s  {one.label} {one.track} "
            f"({percent(one.score)})"
        )
    if (more := len(objects.tracks) - _TOLD_TRACKS) > 0:
        yield f"  {more} more tracks"
    yield from _counted(objects)
    yield from (f"  {note.name}: {note.text}" for note in objects.notes)


def _counted(objects: VideoObjects) -> Iterator[str]:
    sides = Counter((one.line, one.to) for one in objects.events.crossings)
    for line in objects.lines:
        left, right = sides[line.name, "left"], sides[line.name, "right"]
        yield f"  {line.name}: {left} to the left, {right} to the right"
    for zone in objects.zones:
        visits = [visit for visit in objects.events.visits if visit.zone == zone.name]
        most = max((one.count for one in zone_counts(visits)), default=0)
        longest = max((visit.dwell_seconds for visit in visits), default=0.0)
        yield (
            f"  {zone.name}: {counted(len(visits), 'visit')}, {most} at once at most, the longest "
            f"{longest:.1f} s"
        )
