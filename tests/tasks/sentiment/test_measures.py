"""The figures of sentiment are those of MMSA, by scikit-learn and numpy on its formulas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from vidfit.tasks.sentiment.measures import MOSI_MEASURES, SIMS_MEASURES

_RNG = np.random.default_rng(3)
_TRUTH = np.round(np.clip(_RNG.normal(0, 1.4, 200), -3, 3) * 5) / 5
_SAID = (_TRUTH + _RNG.normal(0, 1.2, 200))[:, None]


def _figure(measure, truth, said):
    """From the sums of three recordings."""
    sums = sum(measure.sums(truth[i::3], said[i::3]) for i in range(3))
    return float(measure.figure(np.array([sums]))[0])


def _mosi(y, p):
    some = y != 0
    return {
        "acc2-has0": accuracy_score(y >= 0, p >= 0),
        "acc2-non0": accuracy_score(y[some] > 0, p[some] > 0),
        "f1-has0": f1_score(y >= 0, p >= 0, average="weighted"),
        "f1-non0": f1_score(y[some] > 0, p[some] > 0, average="weighted"),
        "acc7": float(np.mean(np.round(np.clip(y, -3, 3)) == np.round(np.clip(p, -3, 3)))),
        "acc5": float(np.mean(np.round(np.clip(y, -2, 2)) == np.round(np.clip(p, -2, 2)))),
        "correlation": np.corrcoef(p, y)[0][1],
    }


def _sims(y, p):
    y, p = np.clip(y, -1, 1), np.clip(p, -1, 1)

    def classes(x, edges):
        found = np.full(len(x), -1)
        for k, (low, high) in enumerate(pairwise(edges)):
            found[(x > low) & (x <= high)] = k
        return found

    two, three = [-1.01, 0.0, 1.01], [-1.01, -0.1, 0.1, 1.01]
    five = [-1.01, -0.7, -0.1, 0.1, 0.7, 1.01]
    return {
        "sims-acc2": float(np.mean(classes(y, two) == classes(p, two))),
        "sims-acc3": float(np.mean(classes(y, three) == classes(p, three))),
        "sims-acc5": float(np.mean(classes(y, five) == classes(p, five))),
        "sims-f1": f1_score(classes(y, two), classes(p, two), average="weighted"),
        "correlation": np.corrcoef(p, y)[0][1],
    }


def test_mosi_figures_are_those_of_mmsa():
    for name, expected in _mosi(_TRUTH, _SAID[:, 0]).items():
        assert _figure(MOSI_MEASURES[name], _TRUTH, _SAID) == pytest.approx(expected, abs=1e-9)


def test_sims_figures_are_those_of_mmsa():
    truth, said = np.round(np.clip(_TRUTH / 2, -1, 1), 1), np.clip(_SAID / 2, -1, 1)
    for name, expected in _sims(truth, said[:, 0]).items():
        assert _figure(SIMS_MEASURES[name], truth, said) == pytest.approx(expected, abs=1e-9)


def test_one_answer_to_all_is_not_correlated():
    same = np.zeros((200, 1))
    assert _figure(MOSI_MEASURES["correlation"], _TRUTH, same) == 0.0
    assert np.isnan(_figure(MOSI_MEASURES["correlation"], np.ones(200), _SAID))
