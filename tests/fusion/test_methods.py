"""What holds for every method: its contract, chance on random labels, and what it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.fusion import METHODS, Method, fit_method
from vidfit.fusion.answers import OverAnswers
from vidfit.fusion.average import fit_average
from vidfit.fusion.linear import fit_linear
from vidfit.fusion.stack import LogPool
from vidfit.testing import check_fusion, training_on


def accuracy(answer_MK, labels_M):
    return float((answer_MK.argmax(axis=1) == labels_M).mean())


@pytest.mark.parametrize("method", METHODS)
def test_keeps_its_contract(method):
    check_fusion(method)


@pytest.fixture(scope="module", name="random_problems")
def _random_problems():
    """Labels that nothing explains, seen by a narrow member and one that can learn all by heart."""
    problems = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        labels_M, folds_M = rng.integers(0, 3, 120), np.arange(120) % 5
        tokens = [rng.normal(size=(120, 3, dim)).astype(np.float32) for dim in (4, 200)]
        problems.append(training_on(tokens, labels_M, folds_M))
    return problems


@pytest.mark.parametrize("method", METHODS)
def test_on_random_labels_it_stays_at_chance(method, random_problems):
    found = [accuracy(fit_method(method, t).out_of_fold_MK, t.labels_M) for t in random_problems]
    deviation = np.sqrt(2 / 9 / (120 * len(found)))
    assert abs(np.mean(found) - 1 / 3) < 3 * deviation


@pytest.fixture(scope="module", name="complementary")
def _complementary():
    """One member tells classes 0 and 1 apart from the rest, the other 2 and 3."""
    rng = np.random.default_rng(0)
    labels_M = rng.permutation(160) % 4
    tokens = []
    for known in ((0, 1), (2, 3)):
        centres_KD = 1.6 * rng.normal(size=(4, 8)) * np.isin(np.arange(4), known)[:, None]
        seen_MD = centres_KD[labels_M] + rng.normal(size=(160, 8))
        tokens.append(seen_MD[:, None] + 0.3 * rng.normal(size=(160, 4, 8)))
    tokens = [part.astype(np.float32) for part in tokens]
    return training_on(tokens, labels_M, np.arange(160) % 5)


@pytest.mark.parametrize("method", METHODS)
def test_members_that_know_different_things_are_better_together(method, complementary):
    labels_M = complementary.labels_M
    alone = max(accuracy(m.out_of_fold_MK, labels_M) for m in complementary.members)
    gain = accuracy(fit_method(method, complementary).out_of_fold_MK, labels_M) - alone
    assert gain > 0.05


# ---------------------------------------------------------------- the check itself


def in_sample(training):
    """Answers of a probe to the clips that it was fitted on, as out-of-fold answers."""
    seen_MK = fit_linear(training.blocks, training.labels_M, 3.0).log_probabilities(training.blocks)
    return replace(fit_average(training), out_of_fold_MK=seen_MK)


def altering(training):
    training.members[0].vectors_MD[0] += 1.0
    return fit_average(training)


def unnormalised(training):
    fitted = fit_average(training)
    return replace(fitted, out_of_fold_MK=fitted.out_of_fold_MK + 0.1)


def asking_a_member_that_is_not_there(training):
    return replace(fit_average(training), used=(0, 1, 7))


def unsteady(training, calls=iter(range(100))):
    fitted = fit_average(training)
    shift = next(calls) % fitted.out_of_fold_MK.shape[1]
    return replace(fitted, out_of_fold_MK=np.roll(fitted.out_of_fold_MK, shift, axis=1))


def coming_back_changed(training):
    """A pool of logarithms is restored as one of probabilities from the same names of arrays."""
    probes = tuple(member.probe for member in training.members)
    pool = LogPool(np.full(3, 1 / 3, np.float32), np.zeros(training.classes, np.float32))
    return replace(fit_average(training), fusion=OverAnswers(probes, pool))


BROKEN = {
    in_sample: "'broken'.*labels of their own fold",
    altering: "'broken'.*altered what it was given",
    unnormalised: "'broken'.*miss 1 by",
    asking_a_member_that_is_not_there: "'broken'.*used is",
    unsteady: "fitted again",
    coming_back_changed: "restored",
}


@pytest.mark.parametrize("fit", BROKEN)
def test_a_broken_promise_is_named(fit, monkeypatch):
    monkeypatch.setattr("vidfit.fusion.average.fit_broken", fit, raising=False)
    method = Method("integration", "average:fit_broken", "linear-pool")
    monkeypatch.setitem(METHODS, "broken", method)
    with pytest.raises(ModelError, match=BROKEN[fit]):
        check_fusion("broken")


def test_an_unknown_method_is_refused():
    with pytest.raises(ModelError, match="Unknown fusion 'stak'; there are concat"):
        check_fusion("stak")


@pytest.mark.parametrize("method", METHODS)
def test_two_folds_are_enough(method):
    """When one is left out, nothing can be cross-validated on the other."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(80) % 3
    centres_KD = rng.normal(size=(3, 4))
    tokens = [
        (centres_KD[labels_M][:, None] + rng.normal(size=(80, 3, 4))).astype(np.float32)
        for _ in range(2)
    ]
    fitted = fit_method(method, training_on(tokens, labels_M, np.arange(80) // 3 % 2))
    assert accuracy(fitted.out_of_fold_MK, labels_M) > 0.6
