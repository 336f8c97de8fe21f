from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Clip, ClipFeatures
from vidfit.jobs.search.shots import shots_of, windows


def seen(tokens_ND) -> ClipFeatures:
    tokens_ND = np.array(tokens_ND, np.float32)
    return ClipFeatures(tokens_ND, np.arange(len(tokens_ND)), np.arange(len(tokens_ND)) / 2, 0.0)


def test_windows_cover_a_span_and_none_is_longer():
    clips = windows("a.mp4", (1.0, 10.0), 4.0)
    assert [(c.start_seconds, c.end_seconds) for c in clips] == [(1, 4), (4, 7), (7, 10)]
    assert len(windows("a.mp4", (0.0, 8.0), 4.0)) == 2
    assert len(windows("a.mp4", (0.0, 0.0), 4.0)) == 1


def test_a_cut_makes_two_shots_with_their_own_vectors():
    look = seen([[2, 0.1], [2, 0], [2, -0.1], [0, 1]])
    motion = seen([[1], [1], [1], [1], [3], [3], [5], [7]])
    first, second = shots_of(Clip("a.mp4", 10.0, 18.0), {"look": look, "motion": motion})
    assert (first.start_seconds, first.end_seconds, first.key_seconds) == (10.0, 16.0, 13.0)
    assert (second.start_seconds, second.end_seconds, second.key_seconds) == (16.0, 18.0, 17.0)
    np.testing.assert_allclose(first.vectors["look"], [1, 0], atol=1e-6)
    np.testing.assert_allclose(second.vectors["look"], [0, 1], atol=1e-6)
    np.testing.assert_allclose(second.vectors["motion"], [6, 1, 2])


@pytest.mark.parametrize("count", [1, 3])
def test_an_encoder_with_other_numbers_of_tokens_will_do(count):
    look = seen([[1, 0]] * count)
    (shot,) = shots_of(Clip("a.mp4", 0.0, 4.0), {"look": look, "motion": seen([[1], [2]])})
    assert shot.vectors["motion"].tolist() == [1.5, 0.5, 1.0]
    (alone,) = shots_of(Clip("a.mp4", 0.0, 4.0), {"look": look})
    assert {*alone.vectors} == {"look"}


def test_frames_without_features_are_no_error():
    (shot, *_) = shots_of(Clip("a.mp4", 0.0, 4.0), {"look": seen([[0, 0], [0, 0]])})
    assert np.isfinite(shot.vectors["look"]).all()
