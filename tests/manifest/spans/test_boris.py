"""Exports of BORIS, and what they lack."""

from __future__ import annotations

import copy
import json

import pytest
from tests.manifest.spans.examples import (
    AGGREGATED,
    EVENTS,
    OLD,
    PADDED,
    PROJECT,
    QUEUED,
    said,
    unread,
    why,
)

from vidfit.errors import ManifestError
from vidfit.manifest.spans import (
    parse_boris,
    parse_boris_project,
)
from vidfit.manifest.spans.boris import is_boris


def test_events_of_boris_are_paired_by_subject_and_behavior():
    assert is_boris(EVENTS.splitlines()) and is_boris(OLD.splitlines())
    rows = parse_boris(EVENTS, "e.csv")
    assert said(rows) == [("a.mp4", "walk", 1.5, 4.0), ("a.mp4", "walk", 2.0, 5.0)]
    reasons = why(rows)
    assert "'meow' is a point in time" in reasons["e.csv, line 3"]
    assert "fits no other row" in reasons["e.csv, line 7"]
    assert reasons["e.csv, line 8"] == "'sit' has a START and no STOP"
    assert "names no video" in reasons["e.csv, line 9"]
    assert reasons["e.csv, line 10"] == "has 3 columns, 7 expected"
    assert unread(rows) == [
        ("a.mp4", 0.0, None),  # a row that ends early
        ("a.mp4", 2.0, 2.0),  # a moment
        ("a.mp4", 0.0, 6.0),  # a STOP alone
        ("a.mp4", 7.0, None),  # a START alone
    ]
    assert rows.warnings == ["Modifiers of e.csv are not used."]
    assert said(parse_boris(OLD, "e.tsv")) == [(r"C:\films\a.mp4", "walk", 1.5, 4.0)]


def test_aggregated_events_of_boris_are_spans():
    rows = parse_boris(AGGREGATED, "a.csv")
    assert said(rows) == [("a.mp4", "walk", 1.5, 4.0)]
    assert list(why(rows)) == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 5"]
    assert unread(rows) == [("a.mp4", 2.0, 2.0), ("a.mp4", 5.5, None), ("a.mp4", 0.0, 5.0)]


def test_times_are_those_of_the_video_that_was_played():
    rows = parse_boris(QUEUED, "q.tsv")
    assert said(rows) == [
        ("films/a.mp4", "lie", 2.0, 5.5),
        ("films/b.mp4", "lie", 2.0, 10.0),
    ]
    reasons = why(rows)
    assert "goes on from films/a.mp4 into the next video" in reasons["q.tsv, line 4"]
    assert reasons["q.tsv, line 5"] == "it has no time"
    assert "live" in reasons["q.tsv, line 7"]
    assert rows.warnings == ["Modifiers of q.tsv are not used."]
    assert unread(rows) == [
        ("films/a.mp4", 55.0, None), ("films/b.mp4", 0.0, 5.0),  # one span of both
        ("films/b.mp4", 20.0, None), ("films/a.mp4", 10.0, 10.0),
    ]  # fmt: skip
    rows = parse_boris(PADDED, "p.csv")
    assert said(rows) == [("a.mp4", "lie", 1.5, 4.0)]
    assert rows.lengths == {"a.mp4": 150.0}


def test_states_that_differ_in_modifiers_are_paired_apart():
    head = "Observation id,Media file name,Subject,Behavior,Behavior type,Modifier #1,Time"
    events = [("a", "START", 1), ("b", "START", 2), ("a", "STOP", 5), ("b", "STOP", 6)]
    lines = [f"o,a.mp4,cow,lie,{state},{modifier},{time}" for modifier, state, time in events]
    rows = parse_boris("\n".join([head, *lines]), "e.csv")
    assert said(rows) == [("a.mp4", "lie", 1.0, 5.0), ("a.mp4", "lie", 2.0, 6.0)]
    lines[2] = lines[2].replace("a.mp4", "b.mp4")
    rows = parse_boris("\n".join([head, *lines]), "e.csv")
    assert "stops in another video" in why(rows)["e.csv, line 4"]
    assert unread(rows) == [("a.mp4", 1.0, None), ("b.mp4", 0.0, 5.0)]


def test_a_project_of_boris_is_read():
    rows = parse_boris_project(json.dumps(PROJECT), "cows.boris")
    assert said(rows) == [
        ("films/a.mp4", "lie", 2.0, 5.5),
        ("films/b.mp4", "eat", 2.0, 10.0),
        ("films/a.mp4", "lie", 1.0, 2.0),
    ]
    reasons = [f"{failure.name}: {failure.reason}" for failure in rows.rejected]
    for said_of, reason in (
        ("'morning'", "'lie' at 14 s begins and does not end"),
        ("'morning'", "goes on from films/a.mp4"),
        ("'live'", "of no video (LIVE)"),
        ("'unmeasured'", "does not say how long each lasts"),
        ("'moo'", "a point in time, and no span (1 event)"),
    ):
        assert any(said_of in one and reason in one for one in reasons), reason
    assert len(reasons) == 5
    assert unread(rows) == [
        ("films/a.mp4", 6.0, 6.0), ("films/a.mp4", 55.0, None), ("films/b.mp4", 0.0, 5.0),
        ("films/a.mp4", 4.0, None), ("films/b.mp4", 0.0, None),  # begins and does not end
        ("a.mp4", 0.0, None), ("b.mp4", 0.0, None),
    ]  # fmt: skip
    assert rows.warnings[0] == "Modifiers of cows.boris are not used."
    assert "films/a.mp4 has the observations again, morning" in rows.warnings[1]


def test_time_outside_of_the_interval_of_an_observation_is_not_looked_at():
    project = {"behaviors_conf": PROJECT["behaviors_conf"], "observations": {
        name: {"type": "MEDIA", "file": {"1": [f"{name}.mp4"]}, "events": [],
               "observation time interval": interval}
        for name, interval in (("a", [5, 20.5]), ("b", [0, 0]), ("c", [3, 0]), ("d", None))
    }}  # fmt: skip
    rows = parse_boris_project(json.dumps(project), "cows.boris")
    assert unread(rows) == [("a.mp4", 0.0, 5.0), ("a.mp4", 20.5, None), ("c.mp4", 0.0, 3.0)]


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("observations",), [], "without 'observations'"),
        (("behaviors_conf",), {"0": {}}, "without 'observations'"),
        (("observations", "again", "events"), [[None, "", "lie", "", ""]], "cannot be used"),
        (("observations", "again", "events"), [[float("nan"), "", "lie", ""]], "has no time"),
        (("observations", "again", "events"), 3, "cannot be used"),
        (("observations", "again", "file"), [], "cannot be used"),
        (("observations", "again", "media_creation_date_as_offset"), True, "count from when"),
    ],
)
def test_a_damaged_project_is_refused_or_its_observation_is_named(path, value, complaint):
    project = copy.deepcopy(PROJECT)
    *inside, last = path
    place = project
    for key in inside:
        place = place[key]
    place[last] = value
    try:
        rows = parse_boris_project(json.dumps(project), "cows.boris")
    except ManifestError as error:
        assert complaint in str(error)
    else:
        assert any(complaint in failure.reason for failure in rows.rejected)
        assert len(said(rows)) == 2


@pytest.mark.parametrize(
    "text", ["path,label\na.mp4,walk\n", "Behavior,Start (s),Stop (s)\nwalk,1,2\n", ""]
)
def test_a_table_that_is_not_of_boris_is_refused(text):
    with pytest.raises(ManifestError, match=r"of videos|as BORIS exports"):
        parse_boris(text, "x.csv")
