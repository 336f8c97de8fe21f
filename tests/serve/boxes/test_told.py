"""What a model got wrong in a frame."""

from __future__ import annotations

from vidfit.boxes import Box
from vidfit.serve.boxes.told import Mistakes, mistakes

CAR = Box("car", 10, 10, 30, 30)


def found(*edges: float, label: str = "car", score: float = 0.9) -> Box:
    return Box(label, *edges, score=score)


def test_a_box_that_overlaps_by_half_is_right_once():
    near = found(10, 10, 30, 28)
    assert mistakes((CAR,), (near,), 0.5) == Mistakes(0, 0)
    assert mistakes((CAR,), (near, found(11, 10, 30, 30, score=0.8)), 0.5) == Mistakes(0, 1)
    assert mistakes((CAR,), (found(25, 25, 45, 45),), 0.5) == Mistakes(1, 1)
    assert mistakes((CAR,), (found(10, 10, 30, 30, label="bus"),), 0.5) == Mistakes(1, 1)


def test_the_threshold_decides_what_counts():
    assert mistakes((CAR,), (found(10, 10, 30, 30, score=0.3),), 0.5) == Mistakes(1, 0)
    assert mistakes((CAR,), (found(10, 10, 30, 30, score=0.3),), 0.2) == Mistakes(0, 0)
    assert mistakes((), (found(0, 0, 5, 5),), 0.5) == Mistakes(0, 1)
    assert mistakes((), (), 0.5) == Mistakes(0, 0)


def test_what_is_to_be_ignored_is_neither_missed_nor_a_false_alarm():
    crowd = Box("car", 0, 0, 60, 60, ignored=True)
    assert mistakes((crowd,), (), 0.5) == Mistakes(0, 0)
    assert mistakes((crowd,), (found(40, 40, 50, 50),), 0.5) == Mistakes(0, 0)
