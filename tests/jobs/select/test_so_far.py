"""What is said of candidates while the race goes on."""

from __future__ import annotations

import numpy as np

from vidfit.jobs.select.race import so_far
from vidfit.metrics import ACCURACY, score_values
from vidfit.selection import Trial


def test_a_round_is_told_best_first_with_intervals():
    hits_CM = np.array([[1.0, 0, 0, 0] * 6, [1.0, 1, 1, 0] * 6])
    trial = Trial(
        ("poor", "good"),
        score_values(hits_CM, [f"recording {i // 2}" for i in range(24)]),
        {"poor": 0.25, "good": 0.75},
        (),
        0.0,
    )
    said = so_far(trial, ACCURACY)
    start, good, poor = said.replace("; ", ": ").split(": ")
    assert start == "Accuracy on 24 clips so far"
    assert good.startswith("good 75.0 % [") and poor.startswith("poor 25.0 % [")
    low, high = map(float, good.partition("[")[2].rstrip("]").split(", "))
    assert 0 < low < 75.0 < high < 100
