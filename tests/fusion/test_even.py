"""Answers of a probe as if classes were even: what a rare class gains by it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from vidfit.fusion.even import evened, evened_probe, to_even
from vidfit.fusion.linear import cross_fit, fit_linear


@pytest.fixture
def rare(rng):
    """Return vectors and labels of 2000 clips, of which one in twenty shows something."""
    labels_M = (rng.random(2000) < 0.05).astype(int)
    x_MD = rng.normal(size=(2000, 8))
    x_MD[:, 0] += 1.5 * labels_M
    return x_MD.astype(np.float32), labels_M


def test_the_shift_takes_the_shares_to_even_ones():
    shift_K = to_even(np.array([0, 0, 0, 2]), 4)
    share_K = np.array([0.75, 1.0, 0.25, 1.0]) * np.exp(shift_K)
    assert share_K == pytest.approx([0.5, 1.0, 0.5, 1.0])


def test_evened_answers_are_probabilities_and_those_of_the_evened_probe(rare):
    x_MD, labels_M = rare
    probe = fit_linear([x_MD], labels_M, 1.0)
    answers_MK = evened(probe.log_probabilities([x_MD]), labels_M)
    assert np.exp(answers_MK).sum(axis=1) == pytest.approx(np.ones(2000), abs=1e-5)
    shifted_MK = evened_probe(probe, labels_M).log_probabilities([x_MD])
    assert answers_MK == pytest.approx(shifted_MK, abs=1e-4)


def test_balanced_accuracy_of_a_rare_class_gains_as_with_weights_of_scikit_learn(rare):
    x_MD, labels_M = rare
    folds_M = np.arange(2000) % 5
    out_MK = cross_fit([x_MD], labels_M, folds_M)[1]
    plain = balanced_accuracy_score(labels_M, out_MK.argmax(1))
    even = balanced_accuracy_score(labels_M, evened(out_MK, labels_M).argmax(1))
    weighted_M = np.zeros(2000, int)
    for fold in range(5):
        learn_M = folds_M != fold
        peer = LogisticRegression(class_weight="balanced")
        weighted_M[~learn_M] = peer.fit(x_MD[learn_M], labels_M[learn_M]).predict(x_MD[~learn_M])
    peers = balanced_accuracy_score(labels_M, weighted_M)
    assert plain < 0.56 and even > plain + 0.15
    assert even == pytest.approx(peers, abs=0.03)


def test_even_classes_are_left_as_they_are():
    answers_MK = np.log(np.array([[0.7, 0.3], [0.2, 0.8]], np.float32))
    assert evened(answers_MK, np.array([0, 1])) == pytest.approx(answers_MK, abs=1e-6)
