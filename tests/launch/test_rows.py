"""What goes into columns comes out as it was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Clip, Failure
from vidfit.features.extract import Extracted
from vidfit.jobs.predict.many import Answered
from vidfit.launch import rows

TEXT = st.text(max_size=8)
SECONDS = st.floats(0, 1e6)
CLIPS = st.builds(
    Clip, TEXT, SECONDS, st.none() | SECONDS, *[st.none() | TEXT for _ in ("label", "group")]
)
HEATS = st.lists(st.binary(max_size=3), max_size=2).map(tuple)
SEGMENTS = st.builds(Segment, SECONDS, SECONDS, TEXT, st.floats(0, 1), heat=HEATS)
TIMELINES = st.builds(
    Timeline,
    TEXT,
    SECONDS,
    st.tuples(TEXT, TEXT),
    st.lists(SEGMENTS, max_size=3).map(tuple),
    st.lists(SEGMENTS, max_size=3).map(tuple),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    TEXT,
    st.dictionaries(TEXT, st.integers(0, 9), max_size=3),
    st.lists(st.builds(Failure, TEXT, TEXT), max_size=2).map(tuple),
)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(Answered, TEXT, st.lists(TIMELINES, max_size=2).map(tuple), TEXT), max_size=4
    ),
    st.lists(
        st.builds(
            Extracted,
            CLIPS,
            TEXT,
            TEXT,
            SECONDS,
            st.dictionaries(TEXT, SECONDS, max_size=3),
            st.dictionaries(TEXT, TEXT, max_size=3),
        ),
        max_size=4,
    ),
)
def test_there_and_back(answered, extracted):
    assert rows.from_batch(Answered, rows.to_batch(Answered, answered)) == answered
    assert rows.from_batch(Extracted, rows.to_batch(Extracted, extracted)) == extracted


def test_columns_have_types_of_their_own():
    assert rows.schema(Clip).field("start_seconds").type == pa.float64()
    assert rows.schema(Clip).field("label").type == pa.string()
    segments = rows.schema(Timeline).field("segments").type
    assert pa.types.is_list(segments) and pa.types.is_struct(segments.value_type)
    assert math.isnan(
        rows.from_batch(Clip, rows.to_batch(Clip, [Clip("a", math.nan)]))[0].start_seconds
    )


def test_what_no_column_holds_is_named():
    @dataclass
    class Odd:
        what: Path

    with pytest.raises((TypeError, NameError), match="Path"):
        rows.schema(Odd)


def test_runs_are_cut_as_items_come():
    assert list(rows.runs(range(5), 2)) == [[0, 1], [2, 3], [4]]
    endless = iter(int, 1)
    assert next(rows.runs(endless, 3)) == [0, 0, 0]
    assert list(rows.runs([], 3)) == []
