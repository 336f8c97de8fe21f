"""What the candidates say together."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from vidfit.contracts import Estimate
from vidfit.report.leaderboard import nothing_proven


@pytest.mark.parametrize(
    ("said", "baseline", "than"),
    [
        ("left", "majority class", "always saying 'left' (50.0 %)"),
        ("", "majority class", "always saying the most frequent class (50.0 %)"),
        ("no boxes", "no boxes", "the baseline, no boxes (50.0 %)"),
        ("unknown", "always unknown", "the baseline, always unknown (50.0 %)"),
        ("4.25", "one number for all", "the baseline, one number for all: 4.25 (50.0 %)"),
        (
            "the usual class of each place",
            "place prior",
            "the baseline, place prior: the usual class of each place (50.0 %)",
        ),
    ],
)
def test_what_no_model_is_proven_better_than_is_said_as_it_is(said, baseline, than):
    answer = SimpleNamespace(
        classes=("left", "right"), majority_class=said, baseline=baseline,
        majority=Estimate(0.5, 0.4, 0.6), metric="accuracy", higher_is_better=True,
    )  # fmt: skip
    assert nothing_proven(answer) == f"Nothing here is proven better than {than}."
