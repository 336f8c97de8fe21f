"""Logistic regressions of each class, ridge regression, and the weights of members."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from vidfit.fusion import Training, fit_method, restore
from vidfit.fusion.each import each_regression
from vidfit.fusion.linear import Linear, answers_by_penalty, cross_fit
from vidfit.fusion.member import Member
from vidfit.fusion.ridge import ridge
from vidfit.labels import A_NUMBER, SEVERAL, mean_loss, odds


@pytest.mark.parametrize("penalty", [0.1, 3.0])
def test_each_class_is_fitted_as_scikit_learn_fits_it_alone(rng, penalty):
    x_MR = rng.normal(size=(120, 6))
    there_MK = x_MR @ rng.normal(size=(6, 3)) + rng.normal(size=(120, 3)) > [0.0, 1.0, -2.0]
    weight_KR, bias_K = each_regression(x_MR, there_MK, penalty, 1e-8)
    for k in range(3):
        alone = LogisticRegression(C=penalty, tol=1e-10, max_iter=5000).fit(x_MR, there_MK[:, k])
        np.testing.assert_allclose(weight_KR[k], alone.coef_[0], atol=1e-5)
        assert bias_K[k] == pytest.approx(alone.intercept_[0], abs=1e-5)


def test_a_class_that_all_or_no_clips_have_gets_its_smoothed_share():
    there_MK = np.column_stack([np.ones(9, bool), np.zeros(9, bool), np.arange(9) > 4])
    weight_KR, bias_K = each_regression(np.ones((9, 2)), there_MK, 1.0, 1e-6)
    assert weight_KR[:2].tolist() == [[0.0, 0.0]] * 2
    assert bias_K[:2] == pytest.approx([np.log(9.5 / 0.5), np.log(0.5 / 9.5)])
    assert np.isfinite(bias_K[2])


def test_ridge_is_that_of_scikit_learn_on_the_standardised_number(rng):
    x_MR, value_M = rng.normal(size=(60, 5)), 40.0 + 7.0 * rng.normal(size=60)
    weight_1R, bias_1 = ridge(x_MR, value_M, 0.25)
    alone = Ridge(alpha=4.0).fit(x_MR, value_M)
    np.testing.assert_allclose(weight_1R[0], alone.coef_, rtol=1e-8)
    assert bias_1[0] == pytest.approx(alone.intercept_)


def planted(rng, clips=240, dims=8):
    x_MD = rng.normal(size=(clips, dims)).astype(np.float32)
    score_MK = x_MD @ rng.normal(size=(dims, 2))
    there_MK = score_MK + 0.5 * rng.normal(size=score_MK.shape) > 0
    return x_MD, there_MK, score_MK[:, 0].astype(np.float64) * 3 + 10


def training(members, truth, folds_M, kind):
    found = []
    for x_MD in members:
        probe, out_MK = cross_fit([x_MD], truth, folds_M, kind=kind)
        found.append(Member(x_MD, probe, out_MK))
    return Training(tuple(found), truth, folds_M, kind)


@pytest.mark.parametrize("kind", [SEVERAL, A_NUMBER], ids=["several", "number"])
def test_a_probe_finds_what_was_planted_and_nothing_in_noise(rng, kind):
    x_MD, there_MK, number_M = planted(rng)
    truth = there_MK if kind is SEVERAL else number_M
    folds_M = np.arange(len(truth)) % 5
    _, out_MK = cross_fit([x_MD], truth, folds_M, kind=kind)
    shuffled = truth[rng.permutation(len(truth))]
    _, noise_MK = cross_fit([x_MD], shuffled, folds_M, kind=kind)
    chance = np.log(2) if kind is SEVERAL else 1.0
    assert mean_loss(out_MK, truth, kind) < 0.6 * chance
    assert mean_loss(noise_MK, shuffled, kind) == pytest.approx(chance, rel=0.1)
    tried = answers_by_penalty([x_MD], truth, folds_M, kind=kind)
    assert min(mean_loss(one, truth, kind) for one in tried) == pytest.approx(
        mean_loss(out_MK, truth, kind), abs=2e-3
    )


@pytest.mark.parametrize("kind", [SEVERAL, A_NUMBER], ids=["several", "number"])
@pytest.mark.parametrize("method", ["concat", "stack"])
def test_fusions_of_these_labels_use_both_members_and_are_restored(rng, kind, method):
    x_MD, there_MK, number_M = planted(rng)
    truth = there_MK if kind is SEVERAL else number_M
    halves = [x_MD[:, :4], x_MD[:, 4:]]
    both = training(halves, truth, np.arange(len(truth)) % 5, kind)
    fitted = fit_method(method, both)
    single = min(mean_loss(m.out_of_fold_MK, truth, kind) for m in both.members)
    assert mean_loss(fitted.out_of_fold_MK, truth, kind) < 0.9 * single
    head = "linear" if method == "concat" else "log-pool"
    again = restore(head, fitted.fusion.state(), kind)
    np.testing.assert_array_equal(
        again.log_probabilities(halves), fitted.fusion.log_probabilities(halves)
    )


@pytest.mark.parametrize("kind", [SEVERAL, A_NUMBER], ids=["several", "number"])
def test_a_stack_silences_a_member_of_noise(rng, kind):
    x_MD, there_MK, number_M = planted(rng)
    truth = there_MK if kind is SEVERAL else number_M
    noise_MD = rng.normal(size=x_MD.shape).astype(np.float32)
    both = training([x_MD, noise_MD], truth, np.arange(len(truth)) % 5, kind)
    weights_S = fit_method("stack", both).fusion.combiner.weights_S
    assert weights_S.min() >= 0.0
    assert weights_S[0] > 0.8 and weights_S[1] < 0.5 * weights_S[0]


def test_a_probe_of_several_labels_gives_each_class_its_own_probability(rng):
    x_MD, there_MK, _ = planted(rng)
    probe, _ = cross_fit([x_MD], there_MK, np.arange(len(x_MD)) % 5, kind=SEVERAL)
    answers_MK = probe.log_probabilities([x_MD])
    assert isinstance(probe, Linear) and probe.kind is SEVERAL
    sums_M = np.exp(answers_MK).sum(axis=1)
    assert sums_M.min() < 0.8 and sums_M.max() > 1.2
    assert ((odds(answers_MK) > 0) == there_MK).mean() > 0.85
