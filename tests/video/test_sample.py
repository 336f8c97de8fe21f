"""Which frames are chosen: properties for any timestamps, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidfit.contracts import Sampling
from vidfit.errors import VideoError
from vidfit.video import frame_indices

EVEN = np.arange(80) / 10.0  # 8 seconds, 10 frames a second

intervals = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=60)
samplings = st.builds(
    Sampling,
    clip_len=st.integers(1, 20),
    num_clips=st.integers(1, 10),
    interval_seconds=st.none() | st.floats(0.001, 2.0),
)


@given(intervals, samplings, st.floats(0, 1), st.floats(0, 1))
def test_indices_lie_within_the_span_and_do_not_decrease(steps, sampling, one, two):
    pts = np.concatenate([[0.0], np.cumsum(steps)])
    start, end = sorted((one * pts[-1], two * pts[-1] + 0.001))
    if end - start < 1e-4:
        return
    indices = frame_indices(pts, start, end, sampling)
    assert indices.shape == (sampling.num_clips, sampling.clip_len)
    assert indices.dtype == np.int64
    assert (np.diff(indices, axis=1) >= 0).all()
    assert (np.diff(indices[:, 0]) >= 0).all()
    assert indices.min() >= 0
    assert indices.max() < len(pts)
    within = np.flatnonzero((pts >= start - 1e-5) & (pts < end + 1e-5))
    on_screen = np.searchsorted(pts, start + 1e-5, "right") - 1
    assert np.isin(indices, [*within, on_screen]).all()


@given(st.integers(1, 40), st.integers(1, 40))
def test_shifting_all_times_by_a_frame_shifts_all_indices(count, first):
    sampling = Sampling(1, count)
    base = frame_indices(EVEN, 0.0, 4.0, sampling)
    moved = frame_indices(EVEN, first / 10, 4.0 + first / 10, sampling)
    assert np.abs(moved - base - first).max() <= 1  # rounding at a frame's edge


def test_centres_of_equal_parts():
    assert frame_indices(EVEN, 0.0, None, Sampling(1, 4)).tolist() == [[10], [30], [50], [70]]
    assert frame_indices(EVEN, 0.0, None, Sampling(4, 1)).tolist() == [[10, 30, 50, 70]]
    assert frame_indices(EVEN, 4.0, 6.0, Sampling(1, 2)).tolist() == [[45], [55]]


def test_interval_in_seconds_centred_then_shifted_then_clamped():
    centred = frame_indices(EVEN, 0.0, None, Sampling(3, 1, interval_seconds=1.0))
    assert centred.tolist() == [[30, 40, 50]]
    shifted = frame_indices(EVEN, 0.0, None, Sampling(5, 4, interval_seconds=1.0))
    assert shifted[0].tolist() == [0, 10, 20, 30, 40]
    assert shifted[3].tolist() == [39 + 1, 50, 60, 70, 79]
    clamped = frame_indices(EVEN, 0.0, 2.0, Sampling(5, 1, interval_seconds=1.0))
    assert (clamped[0, 0], clamped[0, -1]) == (0, 19)


def test_the_frame_on_screen_answers_a_moment():
    uneven = np.array([0.0, 1.0, 1.1, 1.2, 3.9])
    # Moments 0.5, 1.5, 2.5, 3.5 of a span of 4 seconds.
    assert frame_indices(uneven, 0.0, 4.0, Sampling(1, 4)).ravel().tolist() == [0, 3, 3, 3]


def test_recordings_of_differing_rates_are_seen_alike():
    slow, fast = np.arange(40) / 10, np.arange(120) / 30
    sampling = Sampling(4, 2, interval_seconds=0.3)
    seen_slow = slow[frame_indices(slow, 0.0, None, sampling)]
    seen_fast = fast[frame_indices(fast, 0.0, None, sampling)]
    assert np.abs(seen_slow - seen_fast).max() <= 0.1 + 1e-9


def test_single_frame_is_repeated():
    assert frame_indices(np.zeros(1), 0.0, None, Sampling(3, 2)).tolist() == [[0] * 3] * 2


def test_span_between_two_frames_takes_the_one_on_screen():
    assert frame_indices(EVEN, 1.02, 1.08, Sampling(1, 2)).tolist() == [[10], [10]]


@pytest.mark.parametrize("span", [(2.0, 2.0), (3.0, 1.0), (-1.0, 2.0), (float("nan"), 2.0)])
def test_empty_or_impossible_span_fails(span):
    with pytest.raises(VideoError, match="is empty"):
        frame_indices(EVEN, *span, Sampling())


def test_span_after_the_end_fails():
    with pytest.raises(VideoError, match=r"starts at 9 s, but the video ends at about 8\.000 s"):
        frame_indices(EVEN, 9.0, None, Sampling())


def test_a_held_last_frame_counts_as_long_as_it_stays():
    assert frame_indices(EVEN, 0.0, None, Sampling(4, 1), 16.0).tolist() == [[20, 60, 79, 79]]
    assert frame_indices(EVEN, 9.0, 12.0, Sampling(1, 2), 16.0).tolist() == [[79], [79]]
    with pytest.raises(VideoError, match=r"the video ends at about 16\.000 s"):
        frame_indices(EVEN, 16.5, None, Sampling(), 16.0)


@given(st.floats(0.0, 0.2), samplings)
def test_the_duration_of_a_video_that_holds_no_frame_changes_no_index(last, sampling):
    told = frame_indices(EVEN, 0.0, None, sampling, EVEN[-1] + last)
    np.testing.assert_array_equal(told, frame_indices(EVEN, 0.0, None, sampling))


def test_no_timestamps_fail():
    with pytest.raises(VideoError, match="no frames to choose from"):
        frame_indices(np.zeros(0), 0.0, None, Sampling())
