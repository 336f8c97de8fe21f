"""From looks to tracked frames and to what is told of each track; in one pass and little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vidfit.contracts import Seconds
from vidfit.jobs.predict.objects.looks import ObjectLook
from vidfit.jobs.predict.objects.value import ObjectTrack
from vidfit.tracking.filled import Filled, TrackedFrame
from vidfit.tracking.tracker import Tracker, TrackerSettings


def followed(
    looks: Iterable[ObjectLook],
    pts_seconds_F: Seconds,
    classes: Sequence[str],
    span: tuple[int, int],
    settings: TrackerSettings = TrackerSettings(),
) -> Iterator[TrackedFrame]:
    """Yield each frame of a span with its tracked boxes; no track goes across a cut.

    Parameters
    ----------
    pts_seconds_F
        When each frame of the video is shown.
    span
        First and last frame.
    """
    tracker, filled = Tracker(settings), Filled(pts_seconds_F, classes, *span)
    for look in looks:
        if look.is_cut:
            tracker.cut()
            yield from filled.cut()
        tracked = tracker.look(float(pts_seconds_F[look.index]), look.found)
        yield from filled.add(look.index, tracked)
    yield from filled.end()


@dataclass(slots=True)
class _Summary:
    label: str
    first: int
    last: int
    frames: int = 0
    scores: list[float] = field(default_factory=lambda: [0.0, 0.0])


def summarised(
    frames: Iterable[TrackedFrame], pts_seconds_F: Seconds, end_seconds: float
) -> tuple[ObjectTrack, ...]:
    """Return what is told of each track.

    Parameters
    ----------
    end_seconds
        When the last frame of the video leaves the screen.
    """
    tracks: dict[int, _Summary] = {}
    for frame in frames:
        for box in frame.boxes:
            of = tracks.setdefault(box.track or 0, _Summary(box.label, frame.index, frame.index))
            of.last, of.frames = frame.index, of.frames + 1
            if box.score is not None:
                of.scores[0] += box.score
                of.scores[1] += 1
    ends = [*pts_seconds_F[1:].tolist(), end_seconds]
    return tuple(
        ObjectTrack(
            number,
            of.label,
            float(pts_seconds_F[of.first]),
            ends[of.last],
            of.frames,
            of.scores[0] / max(of.scores[1], 1),
        )
        for number, of in sorted(tracks.items())
    )
