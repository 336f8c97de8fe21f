"""Of many candidates the surest boxes are kept, overlapping ones of a class left out."""

from __future__ import annotations

import numpy as np

from vidfit.backbones.detector import BOXES, apart, surest


def test_each_class_is_thinned_by_itself_the_surest_first():
    candidates = np.zeros((200, 4 + 2 + 1), np.float32)
    candidates[7] = 0.1, 0.1, 0.5, 0.5, 0.6, 0.2, 7
    candidates[8] = 0.1, 0.1, 0.5, 0.48, 0.9, 0.1, 8  # the same object, surer
    candidates[9] = 0.1, 0.1, 0.5, 0.5, 0.2, 0.3, 9  # of the other class
    candidates[10] = 0.1, 0.1, 0.3, 0.3, 0.5, 0.0, 10  # within, but smaller
    candidates[11] = 0.6, 0.6, 0.9, 0.9, 0.001, 0.001, 11
    kept = surest(candidates, 2, 0.5)
    assert kept.shape == (BOXES, 7) and kept[:4, 6].tolist() == [8, 10, 9, 0]
    assert surest(candidates, 2, None)[:4, 6].tolist() == [8, 7, 10, 9]


def test_greedy_thinning_is_the_one_of_a_plain_loop():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 0.6, (120, 2))
    edges = np.concatenate([low, low + rng.uniform(0.1, 0.4, (120, 2))], axis=1)
    classes = rng.integers(0, 3, 120)
    kept: list[int] = []
    for i, (left, top, right, bottom) in enumerate(edges):
        for j in kept:
            wide = min(right, edges[j, 2]) - max(left, edges[j, 0])
            high = min(bottom, edges[j, 3]) - max(top, edges[j, 1])
            both = max(wide, 0) * max(high, 0)
            union = (right - left) * (bottom - top) + np.prod(edges[j, 2:] - edges[j, :2]) - both
            if classes[i] == classes[j] and both / union > 0.5:
                break
        else:
            kept.append(i)
    assert np.flatnonzero(apart(edges, classes, 0.5)).tolist() == kept
