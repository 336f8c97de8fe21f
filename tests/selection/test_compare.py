"""Every model alone, and fusions of the best pair and of all: what is fitted, what is best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.contracts import Cost
from vidfit.selection import (
    Contender,
    Rows,
    Rule,
    Terms,
    choose,
    even_contender,
    fit_contenders,
    hits,
)

CLIPS, RECORDINGS = 160, 40
METHODS = ("concat", "stack", "cascade")


def data(rng):
    recording_M = np.arange(CLIPS) % RECORDINGS
    labels_M = recording_M % 4
    return labels_M, [f"r{g}" for g in recording_M], recording_M // 4 % 5


def knows(labels_M, classes, rng, noise=0.6):
    """Features that tell ``classes`` apart, and nothing of the others."""
    hot_MK = np.eye(4)[labels_M] * np.isin(np.arange(4), classes)
    return (hot_MK + noise * rng.normal(size=hot_MK.shape)).astype(np.float32)


def terms(vectors, methods=METHODS, cheapest=False, latency_seconds=np.inf):
    """The first candidate is the cheapest."""
    costs = {name: Cost(0.01, 0.01 * (1 + i), 0, 1.0 + i) for i, name in enumerate(vectors)}
    return Terms(costs, methods, Rule(cheapest), latency_seconds)


def fitted(vectors, labels_M, groups, folds_M, **options):
    rows, by = Rows(vectors, labels_M, groups), terms(vectors, **options)
    contenders = fit_contenders(rows, folds_M, by)
    return contenders, choose(contenders, rows, by)


def test_the_best_pair_and_all_are_fused(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {
        "noise": rng.normal(size=(CLIPS, 5)).astype(np.float32),
        "first": knows(labels_M, (0, 1), rng, 0.3),
        "second": knows(labels_M, (2, 3), rng, 0.3),
    }
    contenders, _ = fitted(vectors, labels_M, groups, folds_M)
    members = {c.name: set(c.members) for c in contenders}
    assert members["stack-2"] == members["concat-2"] == {"first", "second"}
    assert members["stack-3"] == {"noise", "first", "second"}
    assert [c.method for c in contenders[:3]] == ["", "", ""]


def test_two_members_are_fused_once(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {"a": knows(labels_M, (0, 1), rng), "b": knows(labels_M, (2, 3), rng)}
    contenders, _ = fitted(vectors, labels_M, groups, folds_M)
    assert [c.name for c in contenders] == ["a", "b", "concat-2", "stack-2", "cascade-2"]


def test_complementary_members_are_better_together_on_new_clips(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {
        "first": knows(labels_M, (0, 1), rng, 0.3),
        "second": knows(labels_M, (2, 3), rng, 0.3),
    }
    _, choice = fitted(vectors, labels_M, groups, folds_M)
    new_M, groups, _ = data(rng)
    new = {"first": knows(new_M, (0, 1), rng, 0.3), "second": knows(new_M, (2, 3), rng, 0.3)}
    rows = Rows(new, new_M, groups)
    assert choice.best_fusion is not None
    fused = hits(choice.best_fusion.log_probabilities(rows), new_M).mean()
    single = hits(choice.best_single.log_probabilities(rows), new_M).mean()
    assert fused > single + 0.1


def test_one_candidate_needs_no_fusion(rng):
    labels_M, groups, folds_M = data(rng)
    contenders, choice = fitted({"only": knows(labels_M, (0, 1), rng)}, labels_M, groups, folds_M)
    assert [c.name for c in contenders] == ["only"]
    assert (choice.best_fusion, choice.recommended.name) == (None, "only")


def test_a_cheaper_one_that_is_hardly_worse_is_recommended_where_that_is_wanted(rng):
    labels_M, groups, folds_M = data(rng)
    good = knows(labels_M, (0, 1, 2, 3), rng, 0.4)
    vectors = {"cheap": good + 0.1 * rng.normal(size=good.shape).astype(np.float32), "dear": good}
    _, best = fitted(vectors, labels_M, groups, folds_M, methods=())
    _, cheapest = fitted(vectors, labels_M, groups, folds_M, methods=(), cheapest=True)
    assert best.recommended.name == "dear"
    assert (cheapest.recommended.name, cheapest.best_single.name) == ("cheap", "dear")


def test_a_useless_cheap_one_is_not_recommended(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {
        "noise": rng.normal(size=(CLIPS, 4)).astype(np.float32),
        "good": knows(labels_M, (0, 1, 2, 3), rng, 0.4),
    }
    _, choice = fitted(vectors, labels_M, groups, folds_M, methods=(), cheapest=True)
    assert choice.recommended.name == "good"


def test_a_fusion_that_takes_too_long_is_not_chosen(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {name: knows(labels_M, of, rng) for name, of in (("a", (0, 1)), ("b", (2, 3)))}
    options = {"methods": ("stack",), "latency_seconds": 0.035}
    assert fitted(vectors, labels_M, groups, folds_M, **options)[1].best_fusion is None
    options["latency_seconds"] = 0.05
    assert fitted(vectors, labels_M, groups, folds_M, **options)[1].best_fusion.name == "stack-2"


def test_between_equals_the_surer_one_is_best():
    labels_M = np.array([0, 1])

    def contender(name, right):
        out_MK = np.log(np.array([[right, 1 - right], [1 - right, right]], np.float32))
        return Contender(name, "", "linear", (name,), None, out_MK)  # type: ignore[arg-type]

    rows = Rows({"unsure": np.zeros((2, 1)), "sure": np.zeros((2, 1))}, labels_M, ["a", "b"])
    choice = choose([contender("unsure", 0.6), contender("sure", 0.9)], rows, terms(rows.vectors))
    assert choice.best_single.name == "sure"


def test_a_cascade_pays_by_clip_and_others_pay_one_decode(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {
        "cheap": knows(labels_M, (0, 1), rng, 0.2),
        "dear": knows(labels_M, (2, 3), rng, 0.2),
    }
    rows = Rows(vectors, labels_M, groups)
    costs = {"cheap": Cost(0.01, 0.01), "dear": Cost(0.01, 1.0)}
    contenders = fit_contenders(rows, folds_M, Terms(costs, METHODS))
    cascade, stack = (next(c for c in contenders if c.method == m) for m in ("cascade", "stack"))
    assert cascade.members == ("cheap", "dear")
    depth_M = cascade.depth(rows)
    assert 0.2 < (depth_M == 1).mean() < 0.8
    np.testing.assert_allclose(
        cascade.seconds(depth_M, costs), np.where(depth_M == 1, 0.02, 1.03), rtol=1e-5
    )
    assert stack.depth(rows).max() == 1
    np.testing.assert_allclose(stack.seconds(stack.depth(rows), costs), 1.02, rtol=1e-5)
    assert len(cascade.first_blocks(rows)) == 1 < len(stack.first_blocks(rows))


def test_an_unknown_method_is_an_error(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {name: knows(labels_M, (0, 1), rng) for name in "ab"}
    with pytest.raises(KeyError, match="alchemy"):
        fitted(vectors, labels_M, groups, folds_M, methods=("alchemy",))


def test_even_terms_shift_single_models_and_fusions_that_end_in_one_probe(rng):
    """One class in twenty: as learned it is never answered, as of even classes it is."""
    labels_M = (np.arange(CLIPS) % 20 == 0).astype(int)
    groups, folds_M = [f"r{i % RECORDINGS}" for i in range(CLIPS)], np.arange(CLIPS) // 20 % 4
    vectors = {
        name: (0.8 * labels_M[:, None] + rng.normal(size=(CLIPS, 4))).astype(np.float32)
        for name in "ab"
    }
    rows, by = Rows(vectors, labels_M, groups), terms(vectors)
    learned = {c.name: c for c in fit_contenders(rows, folds_M, by)}
    even = {c.name: c for c in fit_contenders(rows, folds_M, replace(by, even=True))}
    assert set(even) == {"a", "b", "concat-2"} < set(learned)
    share_K = np.bincount(labels_M) / CLIPS
    shift_M = np.full(CLIPS, np.log(share_K[0] / share_K[1]))
    for name, contender in even.items():
        for found_MK, before_MK in (
            (contender.out_of_fold_MK, learned[name].out_of_fold_MK),
            (contender.log_probabilities(rows), learned[name].log_probabilities(rows)),
        ):
            odds_M = (found_MK - before_MK) @ [-1.0, 1.0]
            assert odds_M == pytest.approx(shift_M, abs=1e-3)
        assert hits(contender.out_of_fold_MK, labels_M)[labels_M == 1].mean() > 0.5


def test_a_head_that_is_no_probe_cannot_answer_as_of_even_classes(rng):
    labels_M, groups, folds_M = data(rng)
    vectors = {name: knows(labels_M, (0, 1), rng) for name in "ab"}
    contenders, _ = fitted(vectors, labels_M, groups, folds_M)
    stack = next(c for c in contenders if c.method == "stack")
    with pytest.raises(TypeError, match="not in a probe"):
        even_contender(stack, labels_M)
