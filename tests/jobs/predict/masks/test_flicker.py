"""Labels that flip while nothing moves are counted; those that move with a thing are not."""

from __future__ import annotations

import numpy as np

from vidfit.jobs.predict.masks.flicker import FlickerCount


def _scene(left: int):
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 120, (12, 16, 3)).repeat(8, axis=0).repeat(8, axis=1)
    labels = np.zeros((96, 128), np.uint8)
    picture[30:60, left : left + 40] = rng.integers(150, 255, (30, 40, 1))
    labels[30:60, left : left + 40] = 1
    return picture.astype(np.uint8), labels


def test_labels_that_move_along_do_not_flip():
    flicker = FlickerCount()
    for left in (30, 33, 36):
        flicker.add(*_scene(left))
    assert flicker.share is not None and flicker.share < 0.02


def test_labels_that_come_and_go_flip():
    flicker = FlickerCount()
    for i in range(4):
        picture, labels = _scene(30)
        flicker.add(picture, labels if i % 2 else np.zeros_like(labels))
    assert abs(flicker.share - 30 * 40 / (96 * 128)) < 0.02


def test_across_a_cut_nothing_is_followed():
    flicker = FlickerCount()
    for picture in (np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 250, np.uint8)):
        flicker.add(picture, np.zeros((64, 64), np.uint8))
    assert flicker.share is None
