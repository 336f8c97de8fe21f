"""What decides: the metric that suits the classes, and whether answers are those of even ones."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Clip
from vidfit.errors import VidfitError
from vidfit.study.goal import goal_of
from vidfit.study.options import SelectOptions
from vidfit.tasks import CLASSIFY, task_named

EVEN, UNEVEN = ["a", "b"] * 10, ["often"] * 19 + ["rare"]


@pytest.mark.parametrize(
    ("options", "labels", "metric", "even"),
    [
        (SelectOptions(), EVEN, "accuracy", False),
        (SelectOptions(), UNEVEN, "balanced", True),
        (SelectOptions(metric="balanced"), EVEN, "balanced", True),
        (SelectOptions(metric="map"), UNEVEN, "map", False),
        (SelectOptions(metric="accuracy"), UNEVEN, "accuracy", False),
        (SelectOptions(class_weights="none"), UNEVEN, "balanced", False),
        (SelectOptions(class_weights="balanced"), EVEN, "accuracy", True),
    ],
)
def test_metric_and_answers_suit_the_classes(options, labels, metric, even):
    goal = goal_of(options, [Clip("v.mp4", label=str(k)) for k in labels], CLASSIFY, [])
    assert (goal.measure.name, goal.even) == (metric, even)


@pytest.mark.parametrize(
    ("task", "metric", "labels", "most"),
    [
        ("classify", "accuracy", EVEN, 0.02),
        ("classify", "log-loss", EVEN, 0.02 * np.log(2)),
        ("regress", "mae", ["1000", "3000"] * 10, 20.0),
        ("regress", "mae", ["7", "7"] * 10, 0.02),  # the baseline loses nothing
        ("regress", "r2", ["1000", "3000"] * 10, 0.02),
    ],
)
def test_what_may_be_given_up_has_the_unit_of_the_figure(task, metric, labels, most):
    clips = [Clip("v.mp4", label=label) for label in labels]
    goal = goal_of(SelectOptions(metric=metric, task=task), clips, task_named(task), [])
    assert goal.rule.most == pytest.approx(most, rel=1e-5)


def test_what_was_not_asked_for_is_said_with_the_way_back():
    notes: list[str] = []
    goal_of(SelectOptions(), [Clip("v.mp4", label=str(k)) for k in UNEVEN], CLASSIFY, notes)
    assert len(notes) == 2 and "'often' has 95%" in notes[0]
    assert "--metric accuracy" in notes[0] and "--class-weights none" in notes[1]
    asked: list[str] = []
    goal_of(
        SelectOptions(metric="map", class_weights="balanced"),
        [Clip("v.mp4", label=str(k)) for k in UNEVEN],
        CLASSIFY,
        asked,
    )
    assert not asked


def test_weights_that_there_are_not_are_refused():
    with pytest.raises(VidfitError, match="valid are 'none' and 'balanced'"):
        SelectOptions(class_weights="heavy").check()
