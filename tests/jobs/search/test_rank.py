from __future__ import annotations

import numpy as np

from vidfit.jobs.search import rank
from vidfit.jobs.search.rank import nearest, of_unit_length, standardised
from vidfit.jobs.search.shots import unit


def all_of(matrices):
    return [np.ones(len(one), bool) for one in matrices]


def test_blocks_find_what_a_whole_product_finds(rng, monkeypatch):
    monkeypatch.setattr(rank, "_BLOCK_SHOTS", 7)
    matrices = [unit(rng.normal(size=(n, 5))) for n in (20, 3, 40)]
    query_QD = unit(rng.normal(size=(2, 5)))
    found = nearest(matrices, query_QD, all_of(matrices), 6, of_unit_length)
    scores = (np.concatenate(matrices) @ query_QD.T).max(axis=1)
    starts = np.array([0, 20, 23])
    rows = [starts[best.matrix] + best.row for best in found]
    assert rows == np.argsort(-scores)[:6].tolist()
    np.testing.assert_allclose([best.score for best in found], np.sort(scores)[::-1][:6], rtol=1e-5)


def test_rows_that_are_not_allowed_are_no_answers(rng):
    matrices = [unit(rng.normal(size=(4, 3)))]
    allowed = [np.array([False, True, False, True])]
    found = nearest(matrices, matrices[0][:1], allowed, 9, of_unit_length)
    assert {best.row for best in found} == {1, 3}


def test_mean_and_deviation_of_the_library_are_taken_off(rng):
    """What varies a thousand times as much would decide alone."""
    small = rng.normal(size=(30, 2))
    matrices = [np.column_stack([small, 1000 * rng.normal(size=30) + 5000]).astype(np.float32)]
    prepared = standardised(matrices)(matrices[0])
    np.testing.assert_allclose(np.linalg.norm(prepared, axis=1), 1, rtol=1e-5)
    whole = (matrices[0] - matrices[0].mean(0)) / matrices[0].std(0)
    np.testing.assert_allclose(prepared, unit(whole), atol=1e-4)


def test_nothing_is_known_of_a_few_shots():
    matrices = [np.ones((2, 3), np.float32)]
    assert np.isfinite(standardised(matrices)(matrices[0])).all()


def test_no_more_is_held_than_there_are_shots(rng):
    matrix = rng.normal(size=(5, 3)).astype(np.float32)
    found = nearest([matrix], matrix[:1], [np.ones(5, bool)], 10**12, of_unit_length)
    assert len(found) == 5


def test_no_shot_is_no_answer():
    assert (
        nearest(
            [np.zeros((0, 3), np.float32)], np.ones((1, 3)), [np.zeros(0, bool)], 3, of_unit_length
        )
        == []
    )
