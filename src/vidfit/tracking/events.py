"""What is counted of tracks: lines that are crossed, zones that are visited, and for how long.

An object is where its foot is: the middle of the lower edge of its box. It is on another side, or
in or out of a zone, once the foot is beyond the edge by `MARGIN` of the box's height (hysteresis,
as in Schmitt's trigger), so that a box that trembles on the edge is counted once; the time is that
at which the foot went over the edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal, Protocol

from vidfit.boxes import Box
from vidfit.tracking.places import CountedLine, CountedZone, Point

MARGIN = 0.1
"""Of the height of a box; people sway by less, and step over by more."""

LEAST_PIXELS = 2.0
"""Of the margin: detectors tremble by as much however small a box is."""

Side = Literal["left", "right"]

Moment = tuple[int, float]
"""Number of a frame, and when it is shown."""


class SeenFrame(Protocol):
    """A frame with boxes, of which those with tracks are counted."""

    @property
    def index(self) -> int:
        """Place of the frame in its video, from 0."""

    @property
    def seconds(self) -> float:
        """When it is shown."""

    @property
    def boxes(self) -> Sequence[Box]:
        """Its boxes."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A track that went over a line.

    Parameters
    ----------
    to
        The side it went to, see `CountedLine`.
    frame, seconds
        The first frame beyond the line.
    """

    line: str
    to: Side
    track: int
    label: str
    frame: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Visit:
    """A track in a zone, from when it came in until it left.

    Parameters
    ----------
    start_frame, start_seconds
        The first frame inside.
    end_frame, end_seconds
        The first frame outside; the last one of the track, if it ended inside.
    appeared
        Whether the track began inside: nobody saw it come in.
    vanished
        Whether the track ended inside: nobody saw it leave.
    """

    zone: str
    track: int
    label: str
    start_frame: int
    start_seconds: float
    end_frame: int
    end_seconds: float
    appeared: bool
    vanished: bool

    @property
    def dwell_seconds(self) -> float:
        """How long it was inside."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class TrackEvents:
    """All that was counted, in the order of time."""

    crossings: tuple[Crossing, ...]
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """How many tracks are in a zone from a time on."""

    zone: str
    seconds: float
    count: int


def track_events(
    frames: Iterable[SeenFrame], lines: Sequence[CountedLine], zones: Sequence[CountedZone]
) -> TrackEvents:
    """Return what tracks did; frames are gone through once, in their order.

    A track that was out of sight goes on from where it was: who was inside before and after was
    inside, and who is on the other side afterwards went over the line.
    """
    on_line: dict[tuple[str, int], _OnLine] = defaultdict(_OnLine)
    in_zone: dict[tuple[str, int], _InZone] = {}
    crossings: list[Crossing] = []
    visits: list[Visit] = []
    for frame in frames:
        now = frame.index, frame.seconds
        for box in frame.boxes:
            if box.track is None:
                continue
            for line in lines:
                crossings += _cross(on_line[line.name, box.track], line, now, box)
            for zone in zones:
                key = zone.name, box.track
                if key not in in_zone:
                    in_zone[key] = _InZone(zone.inside(_foot(box)) > 0, now, box)
                visits += _visit(in_zone[key], zone, now, box)
    visits += [
        state.visit(zone, state.last, True) for (zone, _), state in in_zone.items() if state.within
    ]
    return TrackEvents(
        tuple(sorted(crossings, key=attrgetter("seconds", "line", "track"))),
        tuple(sorted(visits, key=attrgetter("start_seconds", "zone", "track"))),
    )


def zone_counts(visits: Iterable[Visit]) -> tuple[ZoneCount, ...]:
    """Return how many are in each zone after each change, by zone and time.

    Who leaves at the moment at which another comes in is not counted with them.
    """
    changes: dict[str, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for visit in visits:
        changes[visit.zone][visit.start_seconds] += 1
        changes[visit.zone][visit.end_seconds] -= 1
    found: list[ZoneCount] = []
    for zone in sorted(changes):
        count = 0
        for seconds, change in sorted(changes[zone].items()):
            count += change
            if change:
                found.append(ZoneCount(zone, seconds, count))
    return tuple(found)


EVENT_COLUMNS = ("seconds", "frame", "event", "place", "track", "label", "to", "dwell_seconds")
"""Of `event_rows`."""


def event_rows(events: TrackEvents) -> Iterator[tuple[str, ...]]:
    """Yield rows of a table, in the order of time.

    Events are ``crosses``, with the side it went to; ``enters`` or ``appears`` inside; ``leaves``
    or ``vanishes`` inside, with the time it was there.
    """
    rows: list[tuple[float, int, tuple[str, ...]]] = []
    for one in events.crossings:
        rows.append((one.seconds, one.frame, ("crosses", one.line, *_of(one), one.to, "")))
    for visit in events.visits:
        begins, ends = "appears" if visit.appeared else "enters", "leaves"
        ends = "vanishes" if visit.vanished else ends
        of = (visit.zone, *_of(visit), "")
        dwell = f"{visit.dwell_seconds:.3f}"
        rows.append((visit.start_seconds, visit.start_frame, (begins, *of, "")))
        rows.append((visit.end_seconds, visit.end_frame, (ends, *of, dwell)))
    for seconds, frame, cells in sorted(rows, key=lambda row: row[:2]):
        yield f"{seconds:.3f}", str(frame), *cells


def _of(event: Crossing | Visit) -> tuple[str, str]:
    return str(event.track), event.label


def _foot(box: Box) -> Point:
    return (box.left + box.right) / 2, box.bottom


def _margin(box: Box) -> float:
    return max(MARGIN * (box.bottom - box.top), LEAST_PIXELS)


# ---------------------------------------------------------------- lines


@dataclass(slots=True)
class _OnLine:
    """What is known of a track at a line.

    ``sure`` is the side that it is on for certain, 0 for none yet; ``over`` the frame at which it
    last went over the line drawn on, and where along it.
    """

    sure: int = 0
    beyond: float = 0.0
    foot: Point | None = None
    over: tuple[Moment, float] | None = None


def _cross(state: _OnLine, line: CountedLine, now: Moment, box: Box) -> Iterator[Crossing]:
    foot = _foot(box)
    beyond = line.beyond(foot)
    if state.foot is not None and (beyond > 0) != (state.beyond > 0):
        share = state.beyond / (state.beyond - beyond)
        x, y = (a + share * (b - a) for a, b in zip(state.foot, foot, strict=True))
        state.over = now, line.along((x, y))
    state.foot, state.beyond = foot, beyond
    if abs(beyond) < _margin(box):
        return
    side = 1 if beyond > 0 else -1
    if state.sure == -side and state.over and 0 <= state.over[1] <= 1 and box.track is not None:
        to: Side = "right" if side > 0 else "left"
        yield Crossing(line.name, to, box.track, box.label, *state.over[0])
    state.sure = side


# ---------------------------------------------------------------- zones


@dataclass(slots=True)
class _InZone:
    """What is known of a track at a zone.

    ``within`` is what is counted, since ``start``; ``foot_in`` where the foot is, since ``turned``.
    """

    within: bool
    start: Moment
    box: Box
    appeared: bool = True
    foot_in: bool = field(init=False)
    turned: Moment = field(init=False)
    last: Moment = field(init=False)

    def __post_init__(self) -> None:
        self.foot_in, self.turned, self.last = self.within, self.start, self.start

    def visit(self, zone: str, end: Moment, vanished: bool) -> Visit:
        track, label = self.box.track or 0, self.box.label
        return Visit(zone, track, label, *self.start, *end, self.appeared, vanished)


def _visit(state: _InZone, zone: CountedZone, now: Moment, box: Box) -> Iterator[Visit]:
    depth = zone.inside(_foot(box))
    state.last = now
    if (depth > 0) != state.foot_in:
        state.foot_in, state.turned = depth > 0, now
    if state.foot_in == state.within or abs(depth) < _margin(box):
        return
    if state.within:
        yield state.visit(zone.name, state.turned, False)
    state.within, state.start, state.box, state.appeared = (
        not state.within,
        state.turned,
        box,
        False,
    )
