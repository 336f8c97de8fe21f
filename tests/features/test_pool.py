from __future__ import annotations

import numpy as np
import pytest

from vidfit.features import IN_STEPS, STATISTICS, STEPS, temporal_statistics, time_steps


def test_mean_deviation_and_mean_difference_of_tokens():
    tokens_ND = np.array([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]], np.float32)
    np.testing.assert_allclose(
        temporal_statistics(tokens_ND),
        [1.0, 2.0, np.sqrt(2 / 3), np.sqrt(2.0), 1.5, 1.5],
        rtol=1e-6,
    )


def test_the_order_of_tokens_matters_to_the_difference_only():
    tokens_ND = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    ordered = np.sort(tokens_ND, axis=0)
    first, second = temporal_statistics(tokens_ND), temporal_statistics(ordered)
    np.testing.assert_allclose(first[:6], second[:6], rtol=1e-5)
    assert (second[6:] < first[6:]).all()


def test_one_token_has_no_deviation_and_no_difference():
    vector = temporal_statistics(np.array([[3.0, -1.0]]))
    np.testing.assert_array_equal(vector, [3.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    assert vector.dtype == np.float32


def test_as_many_tokens_as_steps_are_kept_as_they_are():
    tokens_ND = np.random.default_rng(0).normal(size=(STEPS, 3)).astype(np.float32)
    np.testing.assert_array_equal(time_steps(tokens_ND), tokens_ND.reshape(-1))


@pytest.mark.parametrize("frames", [4, 8, 12, 16, 32, 48])
def test_steps_stand_for_the_same_time_whatever_the_number_of_frames(frames):
    """A token that says its time: frames lie at the centres of equal parts of the clip."""
    time_N1 = ((np.arange(frames) + 0.5) / frames)[:, None].astype(np.float32)
    centre_T = (np.arange(STEPS) + 0.5) / STEPS
    first, last = time_N1[0, 0], time_N1[-1, 0]  # before and after them nothing was seen
    np.testing.assert_allclose(time_steps(time_N1), np.clip(centre_T, first, last), atol=1e-6)


def test_between_two_frames_tokens_are_interpolated():
    steps_TD = time_steps(np.array([[0.0, 8.0], [1.0, 0.0]], np.float32)).reshape(STEPS, 2)
    np.testing.assert_allclose(
        steps_TD[:, 0], [0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 1.0, 1.0], atol=1e-6
    )
    np.testing.assert_allclose(steps_TD[:, 1], 8 * (1 - steps_TD[:, 0]), atol=1e-5)


def test_an_event_is_at_the_same_step_for_models_of_differing_frame_counts():
    peaks = []
    for frames in (16, 24, 40):
        tokens_N1 = np.zeros((frames, 1), np.float32)
        tokens_N1[int(0.7 * frames)] = 1.0
        # A short event may fall between two steps; what is left of it is at the nearest ones.
        smooth_N1 = np.convolve(tokens_N1[:, 0], np.ones(frames // 8), "same")[:, None]
        peaks.append(int(time_steps(smooth_N1).argmax()))
    assert max(peaks) - min(peaks) <= 1
    assert abs(np.mean(peaks) - 0.7 * STEPS) <= 1


def test_one_token_is_there_at_all_steps():
    vector = time_steps(np.array([[3.0, -1.0]]))
    np.testing.assert_array_equal(vector, np.tile([3.0, -1.0], STEPS))
    assert vector.dtype == np.float32


def test_a_pooling_says_how_long_its_vector_is():
    for pooling in (STATISTICS, IN_STEPS):
        for tokens in (1, 5):
            vector = pooling.pool(np.ones((tokens, 4), np.float32))
            assert vector.shape == (4 * pooling.times,)
