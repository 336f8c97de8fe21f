"""Where another scene begins."""

from __future__ import annotations

import numpy as np

from vidfit.tracking.cuts import is_cut, thumbnail


def picture(rng, height=96, width=128):
    coarse = rng.integers(0, 256, (height // 16, width // 16, 3))
    return np.kron(coarse, np.ones((16, 16, 1))).astype(np.uint8)


def test_another_scene_is_a_cut_and_the_same_one_moved_or_darker_is_not(rng):
    first, other = picture(rng), picture(rng)
    assert is_cut(thumbnail(first), thumbnail(other))
    assert not is_cut(thumbnail(first), thumbnail(np.roll(first, 4, axis=1)))
    assert not is_cut(thumbnail(first), thumbnail(first // 3))


def test_black_frames_are_alike_and_unlike_a_picture(rng):
    black = thumbnail(np.zeros((48, 64, 3), np.uint8))
    assert not is_cut(black, thumbnail(np.full((48, 64, 3), 2, np.uint8)))
    assert is_cut(black, thumbnail(picture(rng)))
