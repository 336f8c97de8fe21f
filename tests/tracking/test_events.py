"""Crossings and visits of tracks that are made by hand; four frames a second."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from vidfit.boxes import Box
from vidfit.tracking.events import (
    Crossing,
    Visit,
    ZoneCount,
    event_rows,
    track_events,
    zone_counts,
)
from vidfit.tracking.places import CountedLine, CountedZone

LINE = CountedLine("door", (0, 100), (200, 100))
ZONE = CountedZone("till", ((50, 50), (150, 50), (150, 150), (50, 150)))


@dataclass(frozen=True)
class Frame:
    index: int
    seconds: float
    boxes: tuple[Box, ...]


def frames(**feet):
    """Return frames in which the feet of tracks stand where they are told; ``None`` is not seen."""
    return [
        Frame(
            index,
            index / 4,
            tuple(
                Box("person", x - 10, y - 40, x + 10, y, track=int(name[1:]))
                for name, places in feet.items()
                if index < len(places) and places[index] is not None
                for x, y in [places[index]]
            ),
        )
        for index in range(max(map(len, feet.values())))
    ]


def down(*heights, x=100):
    return [None if y is None else (x, y) for y in heights]


def crossings(*heights, x=100):
    return [
        (c.to, c.frame) for c in track_events(frames(t1=down(*heights, x=x)), [LINE], []).crossings
    ]


def stays(*heights):
    found = track_events(frames(t1=down(*heights)), [], [ZONE]).visits
    return [(v.start_frame, v.end_frame, v.appeared, v.vanished) for v in found]


def test_a_line_is_crossed_in_a_direction_at_the_frame_beyond_it():
    found = track_events(frames(t7=down(80, 90, 101, 110)), [LINE], [])
    assert found.crossings == (Crossing("door", "right", 7, "person", 2, 0.5),)
    assert crossings(120, 110, 95, 80) == [("left", 2)]


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ((80, 99, 101, 98, 103, 97, 102, 120), [("right", 6)]),
        ((80, 99, 101, 98, 103, 97, 99, 80), []),
        ((80, 120, 80, 120), [("right", 1), ("left", 2), ("right", 3)]),
        ((80, 99.5, 100.0, 100.0, 110), [("right", 4)]),
        ((80, None, None, 120), [("right", 3)]),
        ((101, 99, 102, 120), []),
        ((80, 103), []),
    ],
    ids=["trembles and goes", "trembles and turns back", "goes to and fro", "stands on it",
         "out of sight", "begins on it", "not beyond the margin"],
)  # fmt: skip
def test_a_box_that_trembles_on_a_line_is_counted_once(heights, expected):
    assert crossings(*heights) == expected


def test_who_passes_beside_a_line_does_not_cross_it():
    assert crossings(80, 95, 105, 120, x=260) == []
    beside = [(100, 80), (150, 80), (260, 85), (260, 120), (100, 120)]
    assert track_events(frames(t1=beside), [LINE], []).crossings == ()


def test_the_foot_is_what_counts():
    assert crossings(85, 92, 94) == []  # the boxes are 40 high: heads are above, feet not below


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ((20, 40, 60, 100, 140, 160, 180), [(2, 5, False, False)]),
        ((20, 60, 20, 60, 180), [(1, 2, False, False), (3, 4, False, False)]),
        ((20, 49, 51, 48, 52, 49, 51, 80, 20), [(6, 8, False, False)]),
        ((100, 110, 180), [(0, 2, True, False)]),
        ((20, 80, 90), [(1, 2, False, True)]),
        ((100, 110), [(0, 1, True, True)]),
        ((20, 80, None, None, 90, 180), [(1, 5, False, False)]),
        ((20, 49, 52, 20), []),
        ((20, 30), []),
    ],
    ids=["through", "enters again", "trembles on the edge", "appears inside", "vanishes inside",
         "always inside", "out of sight inside", "touches the edge", "never inside"],
)  # fmt: skip
def test_visits_of_a_zone(heights, expected):
    assert stays(*heights) == expected


def test_time_in_a_zone_and_how_many_are_there():
    found = track_events(
        frames(t1=down(20, 80, 90, 100, 180), t2=down(100, 100, 180, 180, 180, x=60)), [], [ZONE]
    )
    assert found.visits == (
        Visit("till", 2, "person", 0, 0.0, 2, 0.5, True, False),
        Visit("till", 1, "person", 1, 0.25, 4, 1.0, False, False),
    )
    assert [visit.dwell_seconds for visit in found.visits] == [0.5, 0.75]
    assert zone_counts(found.visits) == (
        ZoneCount("till", 0.0, 1), ZoneCount("till", 0.25, 2), ZoneCount("till", 0.5, 1),
        ZoneCount("till", 1.0, 0),
    )  # fmt: skip


def test_tracks_that_change_places_leave_the_count_as_it_is():
    found = track_events(frames(t1=down(80, 180), t2=down(20, 80, 80, x=60)), [], [ZONE])
    counts = [(one.seconds, one.count) for one in zone_counts(found.visits)]
    assert counts == [(0.0, 1), (0.5, 0)]


def test_rows_are_in_the_order_of_time():
    found = track_events(frames(t1=down(20, 80, 120, 180)), [LINE], [ZONE])
    assert list(event_rows(found)) == [
        ("0.250", "1", "enters", "till", "1", "person", "", ""),
        ("0.500", "2", "crosses", "door", "1", "person", "right", ""),
        ("0.750", "3", "leaves", "till", "1", "person", "", "0.500"),
    ]


def test_boxes_without_a_track_are_not_counted():
    boxes = (Box("person", 0, 0, 20, 100),)
    found = track_events([Frame(0, 0.0, boxes), Frame(1, 0.1, boxes)], [LINE], [ZONE])
    assert found.crossings == () and found.visits == ()
