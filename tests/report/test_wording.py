"""Numbers and notation in words."""

import pytest

from vidfit.contracts import Estimate, Sampling
from vidfit.report.wording import ACCURACY, cut, frames_seen


@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        (Sampling(3, 8, 2 / 15), "8 views of 3 frames, 0.133 s apart"),
        (Sampling(16, 1, 0.08), "1 view of 16 frames, 0.08 s apart"),
        (Sampling(16, 2, None), "2 views of 16 frames, evenly spread"),
        (Sampling(1, 8, None), "8 frames, evenly spread"),
        (Sampling(1, 1, None), "1 frame"),
        (Sampling(1, 8, keyframes=True), "the keyframes nearest to 8 moments, evenly spread"),
        (Sampling(1, 1, keyframes=True), "the keyframe nearest to the middle"),
        (Sampling(2, 3, 1e-5), "3 views of 2 frames, 1e-05 s apart"),
    ],
)
def test_sampling_in_words(sampling, words):
    assert frames_seen(str(sampling)) == words


def test_samplings_of_several_members_stay_apart():
    assert frames_seen("motion 3x0.133sx8, vit-16x16 1xevenx4") == (
        "motion: 8 views of 3 frames, 0.133 s apart; vit-16x16: 4 frames, evenly spread"
    )


@pytest.mark.parametrize(("letters", "seen"), [(6, "motion"), (5, "moti…"), (1, "…"), (0, "…")])
def test_a_cut_text_is_no_longer_than_was_asked(letters, seen):
    assert cut("motion", letters) == seen


def test_a_figure_that_cannot_be_otherwise_has_no_interval():
    assert ACCURACY.figure(Estimate(0.0, 0.0, 0.0)) == "0.0 %"
    assert ACCURACY.figure(Estimate(0.0, 0.0, 0.1)) == "0.0 % [0.0, 10.0]"
