"""Exports of BORIS, and what they lack."""

from __future__ import annotations

import pytest
from tests.manifest.spans.examples import (
    AGGREGATED,
    EVENTS,
    OLD,
    said,
    why,
)

from vidfit.errors import ManifestError
from vidfit.manifest.spans import (
    parse_boris,
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
    assert rows.warnings == ["Modifiers of e.csv are not used."]
    assert said(parse_boris(OLD, "e.tsv")) == [(r"C:\films\a.mp4", "walk", 1.5, 4.0)]


def test_aggregated_events_of_boris_are_spans():
    rows = parse_boris(AGGREGATED, "a.csv")
    assert said(rows) == [("a.mp4", "walk", 1.5, 4.0)]
    assert list(why(rows)) == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 5"]


@pytest.mark.parametrize(
    "text", ["path,label\na.mp4,walk\n", "Behavior,Start (s),Stop (s)\nwalk,1,2\n", ""]
)
def test_a_table_that_is_not_of_boris_is_refused(text):
    with pytest.raises(ManifestError, match=r"of videos|as BORIS exports"):
        parse_boris(text, "x.csv")
