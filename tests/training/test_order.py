"""Every clip counts once an epoch, whoever computes it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidfit.training.order import bare_micros, deal, endless, epoch_steps

PLAIN = (0.0, ())


def test_an_epoch_is_each_clip_once_cut_into_steps():
    rows_M = np.arange(100, 153)
    steps = epoch_steps(rows_M, 0, 8, seed=0)
    assert [len(step) for step in steps] == [8] * 6 + [5]
    np.testing.assert_array_equal(np.sort(np.concatenate(steps)), rows_M)


def test_the_order_depends_on_seed_and_epoch_and_not_on_the_batch():
    rows_M = np.arange(53)

    def order(epoch, batch, seed):
        return np.concatenate(epoch_steps(rows_M, epoch, batch, seed)).tolist()

    assert order(0, 8, 0) == order(0, 53, 0) == order(0, 1, 0)
    assert len({tuple(order(*which)) for which in ((0, 8, 0), (1, 8, 0), (0, 8, 1))}) == 3


@pytest.mark.parametrize("clips", [1, 2, 7, 8, 9, 31])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
@pytest.mark.parametrize("micro", [1, 4, 5, 64])
def test_each_clip_of_a_step_counts_once_and_all_meet_as_often(clips, world, micro):
    rows_S = np.arange(50, 50 + clips)
    dealt = [deal(rows_S, 3, PLAIN, (rank, world, micro)) for rank in range(world)]
    counted = [m.rows_B[m.counts_B > 0] for of_rank in dealt for m in of_rank]
    np.testing.assert_array_equal(np.sort(np.concatenate(counted)), rows_S)
    shapes = {tuple(len(m.rows_B) for m in of_rank) for of_rank in dealt}
    assert len(shapes) == 1
    (sizes,) = shapes
    assert max(sizes) <= micro
    assert len(sizes) == math.ceil(math.ceil(clips / world) / micro)
    for of_rank in dealt:
        assert [m.number for m in of_rank] == list(range(len(of_rank)))
        assert [m.last for m in of_rank] == [False] * (len(of_rank) - 1) + [True]
        assert {(m.step, m.step_clips) for m in of_rank} == {(3, clips)}
        assert all(np.isin(m.rows_B, rows_S).all() for m in of_rank)


@pytest.mark.parametrize("world", [2, 4])
def test_a_micro_batch_of_all_is_that_of_one(world):
    """So that what is measured on micro-batches does not depend on how many compute them."""
    rows_S = np.random.default_rng(0).permutation(24)
    alone = deal(rows_S, 0, PLAIN, (0, 1, 8))
    together = [deal(rows_S, 0, PLAIN, (rank, world, 8 // world)) for rank in range(world)]
    for number, micro in enumerate(alone):
        rows = np.concatenate([of_rank[number].rows_B for of_rank in together])
        assert set(rows) == set(micro.rows_B)


def test_partners_are_of_the_same_step_and_the_same_on_any_layout():
    rows_S = np.random.default_rng(0).permutation(90)[:21]

    def pairs(world, micro):
        dealt = [m for r in range(world) for m in deal(rows_S, 0, (0.4, (7, 1)), (r, world, micro))]
        return {
            int(row): (int(partner), float(share))
            for m in dealt
            for row, partner, share, counts in zip(
                m.rows_B, m.partners_B, m.shares_B, m.counts_B, strict=True
            )
            if counts
        }

    alone = pairs(1, 64)
    assert set(alone) == {partner for partner, _ in alone.values()} == set(rows_S.tolist())
    assert all(0.5 <= share <= 1 for _, share in alone.values())
    assert pairs(3, 2) == pairs(2, 5) == alone


def test_shares_are_those_of_the_beta_distribution():
    rows_S = np.arange(4000)
    (micro,) = deal(rows_S, 0, (1.0, (0,)), (0, 1, 4000))
    # Of a uniform draw the larger part has mean 3/4 and deviation 1/sqrt(48); four errors.
    assert micro.shares_B.mean() == pytest.approx(0.75, abs=4 * 0.144 / np.sqrt(4000))


def test_without_mixing_each_clip_is_its_own_partner():
    (micro,) = deal(np.arange(5), 0, PLAIN, (0, 1, 8))
    np.testing.assert_array_equal(micro.partners_B, micro.rows_B)
    assert (micro.shares_B == 1).all()


def test_clips_without_a_label_come_each_once_before_any_comes_again():
    rows_U = np.arange(40, 47)
    stream = endless(rows_U, 0, 21, seed=0)
    for turn in range(3):
        assert sorted(stream[7 * turn : 7 * turn + 7]) == rows_U.tolist()
    assert stream[:7].tolist() != stream[7:14].tolist()
    pieces = [endless(rows_U, start, 5, seed=0) for start in (0, 5, 10, 15)]
    assert np.concatenate(pieces).tolist() == stream[:20].tolist()
    assert endless(rows_U, 0, 21, seed=1).tolist() != stream.tolist()


def test_micro_batches_without_labels_come_before_the_end_of_a_step():
    micros = bare_micros(np.arange(7), 3, (1, 2, 2), before=4)
    assert all(micro.bare and not micro.last for micro in micros)
    assert [micro.number for micro in micros] == [4, 5]
    assert {(micro.step, micro.step_clips) for micro in micros} == {(3, 7)}
    assert np.concatenate([m.rows_B[m.counts_B > 0] for m in micros]).tolist() == [1, 3, 5]
