"""What is told of the objects of one video."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Note
from vidfit.jobs.predict.looked import LookedVideo
from vidfit.tracking.events import TrackEvents
from vidfit.tracking.places import CountedLine, CountedZone


@dataclass(frozen=True)
class ObjectTrack:
    """One object over time.

    Parameters
    ----------
    track
        Its number in this video, from 1 in the order in which tracks became sure.
    label
        Its class.
    start_seconds, end_seconds
        When it is first and last seen; the end of the frame it is last seen in.
    frames
        Frames that have a box of it.
    score
        Mean score of the boxes that were found, 0 to 1; those that were filled in have none.
    """

    track: int
    label: str
    start_seconds: float
    end_seconds: float
    frames: int
    score: float


@dataclass(frozen=True)
class VideoObjects:
    """The objects of one video, without their boxes.

    Parameters
    ----------
    video
        Its facts, and which frames were looked at.
    detector
        Name of what found them.
    classes
        What it finds.
    cuts
        Frames at which another scene was taken to begin; no track goes across.
    tracks
        In the order of their numbers.
    lines, zones
        What was counted, in pixels.
    events
        Tracks that went over the lines, and were in the zones.
    notes
        What should be known.
    """

    video: LookedVideo
    detector: str
    classes: tuple[str, ...]
    cuts: tuple[int, ...]
    tracks: tuple[ObjectTrack, ...]
    lines: tuple[CountedLine, ...] = ()
    zones: tuple[CountedZone, ...] = ()
    events: TrackEvents = TrackEvents((), ())
    notes: tuple[Note, ...] = ()
