"""A fusion is kept only where it has proven itself."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.selection import Comparison, Contender, compare, fit_contenders
from vidfit.selection.compare import hits

CLIPS, RECORDINGS = 160, 40


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def data(rng):
    recording_M = np.arange(CLIPS) % RECORDINGS
    labels_M = recording_M % 4
    return labels_M, [f"r{g}" for g in recording_M], recording_M // 4 % 5


def knows(labels_M, classes, rng, noise=0.6):
    """Features that tell ``classes`` apart, and nothing of the others."""
    hot_MK = np.eye(4)[labels_M] * np.isin(np.arange(4), classes)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def test_redundant_members_are_not_fused(rng):
    labels_M, groups, folds_M = data(rng)
    base = knows(labels_M, (0, 1, 2, 3), rng)
    vectors = {name: base + 0.01 * rng.normal(size=base.shape).astype(np.float32) for name in "abc"}
    choice = compare(fit_contenders(vectors, labels_M, folds_M), labels_M, groups)
    assert choice.best_fusion is not None and choice.gain is not None
    assert choice.gain.low <= 0
    assert choice.chosen is choice.best_single


def test_a_member_of_noise_is_not_fused(rng):
    labels_M, groups, folds_M = data(rng)
    noise = rng.normal(size=(CLIPS, 50)).astype(np.float32)
    vectors = {"good": knows(labels_M, (0, 1, 2, 3), rng), "noise": noise}
    choice = compare(fit_contenders(vectors, labels_M, folds_M), labels_M, groups)
    assert choice.chosen.name == "good"


def test_complementary_members_are_fused(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {
        "first": knows(labels_M, (0, 1), rng, 0.3),
        "second": knows(labels_M, (2, 3), rng, 0.3),
    }
    contenders = fit_contenders(vectors, labels_M, folds_M)
    choice = compare(contenders, labels_M, groups)
    assert choice.gain is not None and choice.gain.low > 0
    assert choice.chosen.members == ("first", "second")
    new_M, _, _ = data(rng)
    new = {"first": knows(new_M, (0, 1), rng, 0.3), "second": knows(new_M, (2, 3), rng, 0.3)}
    fused = hits(choice.chosen.log_probabilities(new), new_M).mean()
    single = hits(choice.best_single.log_probabilities(new), new_M).mean()
    assert fused > single + 0.1


def test_one_candidate_needs_no_fusion(rng):
    labels_M, groups, folds_M = data(rng)
    contenders = fit_contenders({"only": knows(labels_M, (0, 1), rng)}, labels_M, folds_M)
    choice = compare(contenders, labels_M, groups)
    assert [c.name for c in contenders] == ["only"]
    assert (choice.best_fusion, choice.gain, choice.chosen.name) == (None, None, "only")


def test_between_equals_the_surer_one_is_best():
    labels_M = np.array([0, 1])

    def contender(name, right):
        out_MK = np.log(np.array([[right, 1 - right], [1 - right, right]], np.float32))
        return Contender(name, "linear", (name,), None, out_MK)  # type: ignore[arg-type]

    choice = compare([contender("unsure", 0.6), contender("sure", 0.9)], labels_M, ["a", "b"])
    assert choice.best_single.name == "sure"


def test_a_fusion_without_proof_is_not_chosen():
    single, fusion = object(), object()
    assert Comparison(single, single, (), fusion, None).chosen is single  # type: ignore[arg-type]
