"""Pairs against all that there could be."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from vidfit.tracking.association import associate, without


def worth(alike_NM, pairs, least):
    return sum(alike_NM[i, j] - least + 1e-4 for i, j in pairs)


def test_no_other_choice_of_pairs_is_worth_more(rng):
    for _ in range(30):
        alike_NM = rng.random((4, 5)) * (rng.random((4, 5)) < 0.7)
        pairs = associate(alike_NM, 0.3)
        found = list(zip(pairs.tracks_P, pairs.boxes_P, strict=True))
        assert all(alike_NM[pair] >= 0.3 for pair in found)
        assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
        best = max(
            worth(alike_NM, [(i, j) for i, j in enumerate(order) if alike_NM[i, j] >= 0.3], 0.3)
            for order in permutations(range(5), 4)
        )
        assert np.isclose(worth(alike_NM, found, 0.3), best)


def test_nothing_is_paired_with_nothing():
    for shape in ((0, 3), (3, 0), (0, 0), (2, 2)):
        assert len(associate(np.zeros(shape), 0.2).tracks_P) == 0
    assert without(3, np.array([1])).tolist() == [True, False, True]
