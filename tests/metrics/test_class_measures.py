"""Measures of class answers: scikit-learn's figures, from what each recording adds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    roc_auc_score,
)

from vidfit.metrics import CLASS_MEASURES, score_all
from vidfit.metrics.class_measures import AUROC, F1, MAP

CLASSES = 4
GROUPS = [f"r{i % 11}" for i in range(200)]


def answered(rng, clips=200):
    truth_M = rng.choice(CLASSES, clips, p=[0.6, 0.25, 0.1, 0.05])
    logits_MK = rng.normal(size=(clips, CLASSES)).round(1)  # rounded: some scores are equal
    logits_MK[np.arange(clips), truth_M] += 0.8
    return truth_M, log_softmax(logits_MK, axis=1)


def brier(truth_M, p_MK):
    return ((p_MK - np.eye(CLASSES)[truth_M]) ** 2).sum(axis=1).mean()


ORACLES = {
    "accuracy": lambda y, p: accuracy_score(y, p.argmax(1)),
    "balanced": lambda y, p: balanced_accuracy_score(y, p.argmax(1)),
    "macro-f1": lambda y, p: f1_score(y, p.argmax(1), average="macro"),
    "map": lambda y, p: average_precision_score(np.eye(CLASSES)[y], p, average="macro"),
    "auroc": lambda y, p: roc_auc_score(np.eye(CLASSES)[y], p, average="macro"),
    "log-loss": lambda y, p: log_loss(y, p, labels=range(CLASSES)),
    "brier": brier,
}


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_the_figure_is_that_of_scikit_learn(rng, name):
    truth_M, log_MK = answered(rng)
    ours = score_all(CLASS_MEASURES[name], truth_M, [log_MK], GROUPS).figures_C[0]
    assert ours == pytest.approx(ORACLES[name](truth_M, np.exp(log_MK)), abs=1e-12)


@pytest.mark.parametrize("name", CLASS_MEASURES)
def test_counting_a_recording_three_times_is_having_its_clips_three_times(rng, name):
    truth_M, log_MK = answered(rng)
    found = score_all(CLASS_MEASURES[name], truth_M, [log_MK], GROUPS)
    names = sorted(set(GROUPS))
    weight_G = np.array([3.0 if name == "r2" else 0.0 if name == "r5" else 1.0 for name in names])
    of = dict(zip(names, weight_G.astype(int), strict=True))
    rows = np.repeat(np.arange(200), [of[group] for group in GROUPS])
    oracle = ORACLES[name](truth_M[rows], np.exp(log_MK[rows]))
    assert found.drawn(weight_G[None])[0, 0] == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize(
    ("measure", "oracle"),
    [
        (F1("micro-f1", macro=False), lambda y, p: f1_score(y, p > 0.5, average="micro")),
        (F1("macro-f1"), lambda y, p: f1_score(y, p > 0.5, average="macro")),
        (MAP, lambda y, p: average_precision_score(y, p, average="macro")),
        (AUROC, lambda y, p: roc_auc_score(y, p, average="macro")),
    ],
)
def test_clips_of_several_labels(rng, measure, oracle):
    truth_MK = rng.random((200, CLASSES)) < 0.3
    p_MK = np.clip(rng.random((200, CLASSES)) * 0.7 + 0.3 * truth_MK, 1e-6, 1 - 1e-6)
    ours = score_all(measure, truth_MK, [np.log(p_MK)], GROUPS).figures_C[0]
    assert ours == pytest.approx(oracle(truth_MK, p_MK), abs=1e-12)


def test_a_class_without_a_clip_is_left_out_and_is_not_zero(rng):
    truth_M, log_MK = answered(rng)
    some_M = truth_M < 2
    groups = [g for g, kept in zip(GROUPS, some_M, strict=True) if kept]
    for name in ("balanced", "map", "auroc"):
        found = score_all(CLASS_MEASURES[name], truth_M[some_M], [log_MK[some_M]], groups)
        with np.errstate(invalid="ignore"):
            expected = {
                "balanced": lambda y, p: balanced_accuracy_score(y, p.argmax(1)),
                "map": lambda y, p: np.mean(
                    [average_precision_score(y == k, p[:, k]) for k in (0, 1)]
                ),
                "auroc": lambda y, p: np.mean([roc_auc_score(y == k, p[:, k]) for k in (0, 1)]),
            }[name](truth_M[some_M], np.exp(log_MK[some_M]))
        assert found.figures_C[0] == pytest.approx(expected, abs=1e-12)
