"""A member without a vector says nothing; those that are there answer."""

from __future__ import annotations

import numpy as np

from vidfit.contracts import Cost
from vidfit.fusion import fit_method
from vidfit.fusion.linear import cross_fit
from vidfit.fusion.nested import training_of

_RNG = np.random.default_rng(0)
LABELS = np.arange(120) % 2
FOLDS = np.arange(120) // 24
FIRST, SECOND = (
    (_RNG.normal(size=(120, 4)) + 1.5 * (LABELS[:, None] - 0.5)).astype(np.float32)
    for _ in range(2)
)
GONE = np.full((1, 4), np.nan, np.float32)


def test_without_a_vector_a_probe_answers_as_of_the_mean():
    holes = FIRST.copy()
    holes[::3] = np.nan
    probe, out_MK = cross_fit([holes], LABELS, FOLDS)
    assert np.isfinite(out_MK).all() and np.isfinite(probe.novelty([holes])).all()
    there = ~np.isnan(holes[:, 0])
    np.testing.assert_allclose(probe.mean_D, holes[there].mean(axis=0), atol=1e-6)
    silent = np.exp(probe.log_probabilities([GONE]))[0]
    np.testing.assert_allclose(silent, 0.5, atol=0.1)
    assert (out_MK[there].argmax(1) == LABELS[there]).mean() > 0.7


def test_vectors_without_holes_are_learned_from_as_before():
    whole, _ = cross_fit([FIRST], LABELS, FOLDS)
    np.testing.assert_allclose(whole.mean_D, FIRST.mean(axis=0))


def test_in_a_fusion_the_others_answer():
    holes = SECOND.copy()
    holes[1::2] = np.nan
    training = training_of([FIRST, holes], LABELS, FOLDS, costs=[Cost(0.0, 0.0)] * 2)
    for method in ("stack", "concat", "average"):
        fitted = fit_method(method, training)
        alone = np.exp(fitted.fusion.log_probabilities([FIRST, np.repeat(GONE, 120, axis=0)]))
        right = (alone.argmax(axis=1) == LABELS).mean()
        assert right > 0.75, method
        neither = np.exp(fitted.fusion.log_probabilities([GONE, GONE]))
        assert abs(neither[0, 0] - 0.5) < 0.15, method
