"""Thresholds decline the share of known clips that they say, and more of what is new."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vidfit.evaluate import STRICT, USUAL, HeldOut, Shares, Thresholds, auroc


def drawn(clips: int, seed: int) -> HeldOut:
    rng = np.random.default_rng(seed)
    return HeldOut(rng.beta(5, 2, clips), rng.chisquare(8, clips) / 8)


def test_thresholds_are_quantiles_of_clips_of_known_classes():
    known = HeldOut(np.linspace(0.5, 1.0, 101), np.arange(101.0))
    found = Thresholds.of(known, Shares(0.05, 0.01))
    assert found.probability == pytest.approx(0.525)
    assert found.novelty == pytest.approx(99.0)
    # Five for low confidence, one as unlike anything seen.
    assert found.declined(known).sum() == 6


def test_thresholds_of_one_clip_decline_it_not():
    one = HeldOut(np.array([0.9]), np.array([1.0]))
    assert not Thresholds.of(one).declined(one).any()


def test_either_rule_alone_declines():
    limits = Thresholds(0.5, 2.0)
    asked = HeldOut(np.array([0.5, 0.4, 0.9, 0.4]), np.array([2.0, 1.0, 2.1, 3.0]))
    assert limits.declined(asked).tolist() == [False, True, True, True]


@pytest.mark.parametrize("shares", [USUAL, STRICT])
def test_of_new_clips_of_known_classes_the_stated_share_is_declined(shares):
    limits = Thresholds.of(drawn(4000, 1), shares)
    stated = 1 - (1 - shares.confidence) * (1 - shares.novelty)  # the rules are independent here
    assert limits.declined(drawn(20000, 2)).mean() == pytest.approx(stated, abs=0.02)


def test_auroc_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    known_M, new_M = rng.integers(0, 9, 50) / 8.0, rng.integers(2, 12, 30) / 8.0  # with ties
    truth = roc_auc_score(np.repeat([0, 1], [50, 30]), np.concatenate([known_M, new_M]))
    assert auroc(known_M, new_M) == pytest.approx(truth, abs=1e-12)
    assert auroc([0.1, 0.2], [0.3]) == 1.0
