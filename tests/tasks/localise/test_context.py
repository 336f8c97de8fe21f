"""Means beside a window, held against a loop; what a head says by clues and by vectors."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from vidfit.errors import ModelError
from vidfit.fusion.linear import fit_linear
from vidfit.tasks.localise.chain import MarkovChain
from vidfit.tasks.localise.context import Context
from vidfit.tasks.localise.head import Beside, Chained, restore

WINDOWS = 12


@pytest.fixture
def order():
    """Two videos, the second with a gap, rows out of order."""
    video_M = np.repeat([0, 1], [5, WINDOWS - 5])
    start_M = np.concatenate([np.arange(5.0), [0, 1, 2, 7, 8, 9, 10]])
    mixed = np.random.default_rng(3).permutation(WINDOWS)
    return video_M[mixed], start_M[mixed]


def by_loop(x_MD, order, offsets):
    video_M, start_M = order
    found = np.empty_like(x_MD)
    for m in range(len(x_MD)):
        part = [
            i
            for i in range(len(x_MD))
            if video_M[i] == video_M[m]
            and (video_M[m] == 0 or (start_M[i] < 5) == (start_M[m] < 5))
        ]
        part.sort(key=lambda i: start_M[i])
        at = part.index(m)
        found[m] = np.mean(
            [x_MD[part[min(max(at + j, 0), len(part) - 1)]] for j in offsets], axis=0
        )
    return found


def test_it_is_the_mean_of_what_stands_beside_and_crosses_no_gap(rng, order):
    x_MD = rng.normal(size=(WINDOWS, 3)).astype(np.float32)
    context = Context(2, 1.0)
    np.testing.assert_allclose(
        context.before(x_MD, order), by_loop(x_MD, order, (-1, -2)), atol=1e-6
    )
    np.testing.assert_allclose(context.after(x_MD, order), by_loop(x_MD, order, (1, 2)), atol=1e-6)


def test_windows_of_half_the_length_are_seen_twice_as_many(rng):
    x_MD = rng.normal(size=(6, 2)).astype(np.float32)
    order = np.zeros(6, np.int64), np.arange(6.0) / 2
    np.testing.assert_array_equal(
        Context(1, 1.0).after(x_MD, order), Context(2, 0.5).after(x_MD, order)
    )
    np.testing.assert_array_equal(Context(1, 0.1).after(x_MD, order), x_MD)  # none so near
    alone = np.arange(6), np.zeros(6)
    np.testing.assert_array_equal(Context(4, 1.0).before(x_MD, alone), x_MD)


def head_of(rng, context):
    blocks = [rng.normal(size=(40, 4)).astype(np.float32) for _ in range(context.parts)]
    probe = fit_linear(blocks, np.arange(40) % 3, 3.0)
    share_K = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    return Chained((Beside(probe, context),), share_K, MarkovChain(0.5, 0.4))


@pytest.mark.parametrize("windows", [0, 2])
def test_clues_answer_as_vectors_do(rng, order, windows):
    head = head_of(rng, Context(windows, 1.0))
    (member,) = head.members
    x_MD = rng.normal(size=(WINDOWS, 4)).astype(np.float32)
    clues_ME = head.clues([x_MD])
    assert clues_ME.shape == (WINDOWS, 3 * member.context.parts)
    beside = [member.context.before(x_MD, order), member.context.after(x_MD, order)]
    raw_MK = member.probe.log_probabilities([x_MD, *beside[: member.context.parts - 1]])
    alone = replace(head, chain=MarkovChain(0.0))
    np.testing.assert_allclose(alone.in_time(clues_ME, *order), raw_MK, atol=1e-4)
    again = restore(head.state(), [4], 3)
    np.testing.assert_allclose(
        again.in_time(clues_ME, *order), head.in_time(clues_ME, *order), atol=1e-5
    )
    lone = np.arange(WINDOWS), np.zeros(WINDOWS)
    np.testing.assert_allclose(
        alone.in_time(clues_ME, *lone), head.log_probabilities([x_MD]), atol=1e-4
    )


def test_members_are_averaged_before_one_chain(rng, order):
    first, second = (head_of(rng, Context(n, 1.0)) for n in (2, 0))
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
        ({"member0.context_2": np.array([0.5, 1.0], np.float32)}, "valid are whole windows"),
        ({"member0.context_2": np.array([1e9, 1.0], np.float32)}, "valid are whole windows"),
        ({"member0.context_2": np.array([0.0, 1.0], np.float32)}, "must be"),
        ({"member0.context_2": np.zeros(3, np.float32)}, "another shape"),
        ({"chain_2": np.array([1.0, 1.0], np.float32)}, "the head's chain is"),
        ({"log_share_K": np.ones(3, np.float32)}, "no logarithms"),
        ({"member0.context_2": None}, "'context_2' is missing; fit the spans again"),
    ],
)
def test_arrays_that_are_no_head_are_refused(rng, change, complaint):
    state = head_of(rng, Context(2, 1.0)).state() | change
    with pytest.raises(ModelError, match=complaint):
        restore({name: array for name, array in state.items() if array is not None}, [4], 3)


def test_three_hours_of_half_seconds_are_answered_in_a_few_megabytes(rng):
    count, classes = 3 * 3600 * 2, 3
    head = head_of(rng, Context(4, 0.5))
    clues_ME = rng.normal(size=(count, 3 * classes)).astype(np.float32)
    order = np.zeros(count, np.int64), np.arange(count) / 2
    tracemalloc.start()
    head.in_time(clues_ME, *order)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 120 * count * classes  # 120 bytes an answer: 8 MB
