"""What a head says of windows over time, and arrays that are no head."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.fusion.linear import fit_linear
from vidfit.tasks.localise.chain import MarkovChain
from vidfit.tasks.localise.head import Chained, restore

WINDOWS = 12


@pytest.fixture
def order():
    """Two videos, the second with a gap, rows out of order."""
    video_M = np.repeat([0, 1], [5, WINDOWS - 5])
    start_M = np.concatenate([np.arange(5.0), [0, 1, 2, 7, 8, 9, 10]])
    mixed = np.random.default_rng(3).permutation(WINDOWS)
    return video_M[mixed], start_M[mixed]


def head_of(rng):
    x_MD = rng.normal(size=(40, 4)).astype(np.float32)
    probe = fit_linear([x_MD], np.arange(40) % 3, 3.0)
    share_K = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    return Chained((probe,), share_K, MarkovChain(0.5, 0.4))


def test_clues_answer_as_vectors_do(rng, order):
    head = head_of(rng)
    x_MD = rng.normal(size=(WINDOWS, 4)).astype(np.float32)
    clues_ME = head.clues([x_MD])
    raw_MK = head.members[0].log_probabilities([x_MD])
    alone = replace(head, chain=MarkovChain(0.0))
    np.testing.assert_allclose(alone.in_time(clues_ME, *order), raw_MK, atol=1e-4)
    again = restore(head.state(), [4], 3)
    np.testing.assert_allclose(
        again.in_time(clues_ME, *order), head.in_time(clues_ME, *order), atol=1e-5
    )
    assert np.abs(head.in_time(clues_ME, *order) - raw_MK).max() > 0.1, "the chain smooths"


def test_members_are_averaged_before_one_chain(rng, order):
    first, second = head_of(rng), head_of(rng)
    both = replace(first, members=first.members + second.members)
    blocks = [rng.normal(size=(WINDOWS, 4)).astype(np.float32) for _ in range(2)]
    each = [
        replace(head, chain=MarkovChain(0.0)).in_time(head.clues([x_MD]), *order)
        for head, x_MD in zip((first, second), blocks, strict=True)
    ]
    mean_MK = np.exp(np.mean(each, axis=0))
    mean_MK /= mean_MK.sum(axis=1, keepdims=True)
    clues_ME = both.clues(blocks)
    raw_MK = replace(both, chain=MarkovChain(0.0)).in_time(clues_ME, *order)
    np.testing.assert_allclose(np.exp(raw_MK), mean_MK, atol=1e-4)
    again = restore(both.state(), [4, 4], 3)
    np.testing.assert_allclose(
        again.in_time(clues_ME, *order), both.in_time(clues_ME, *order), atol=1e-5
    )
    with pytest.raises(ModelError, match="is none of its own"):
        restore(both.state(), [4], 3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"member0.mean_D": np.zeros(3, np.float32)}, "must be"),
        ({"chain_2": np.array([1.0, 1.0], np.float32)}, "the head's chain is"),
        ({"log_share_K": np.ones(3, np.float32)}, "no logarithms"),
        ({"chain_2": None}, "'chain_2' is missing; fit the spans again"),
        ({"member0.context_2": np.zeros(2, np.float32)}, "by an older vidfit; fit the spans again"),
    ],
)
def test_arrays_that_are_no_head_are_refused(rng, change, complaint):
    state = head_of(rng).state() | change
    with pytest.raises(ModelError, match=complaint):
        restore({name: array for name, array in state.items() if array is not None}, [4], 3)


def test_three_hours_of_half_seconds_are_answered_in_a_few_megabytes(rng):
    count, classes = 3 * 3600 * 2, 3
    head = head_of(rng)
    clues_ME = rng.normal(size=(count, classes)).astype(np.float32)
    order = np.zeros(count, np.int64), np.arange(count) / 2
    tracemalloc.start()
    head.in_time(clues_ME, *order)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 120 * count * classes  # 120 bytes an answer: 8 MB
