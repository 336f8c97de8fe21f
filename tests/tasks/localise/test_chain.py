"""Smoothing over time, held against the posterior of all paths by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np

from vidfit.tasks.localise.chain import MarkovChain, chains_of, smoothed

CHAINS = chains_of(1.0)


def by_brute_force(answers_MK, share_K, chain):
    """Sum over all paths what they explain; the posterior of each window."""
    told_MK = np.exp(chain.evidence * (answers_MK - np.log(share_K)))
    windows, classes = told_MK.shape
    found_MK = np.zeros(told_MK.shape)
    step_KK = chain.stay * np.eye(classes) + (1 - chain.stay) * share_K[None]
    for path in product(range(classes), repeat=windows):
        weight = share_K[path[0]] * told_MK[0, path[0]]
        for m in range(1, windows):
            weight *= step_KK[path[m - 1], path[m]] * told_MK[m, path[m]]
        for m, k in enumerate(path):
            found_MK[m, k] += weight
    return found_MK / found_MK.sum(axis=1, keepdims=True)


def test_it_is_the_posterior_of_all_paths(rng):
    share_K = np.array([0.5, 0.3, 0.2])
    answers_MK = np.log(rng.dirichlet(np.ones(3), 5)).astype(np.float32)
    chains = (MarkovChain(0.0), MarkovChain(0.7), MarkovChain(0.9, 0.4))
    order = np.zeros(5, np.int64), np.arange(5.0)
    found_SMK = smoothed(answers_MK, np.log(share_K).astype(np.float32), chains, *order)
    for found_MK, chain in zip(found_SMK, chains, strict=True):
        wanted_MK = by_brute_force(answers_MK, share_K, chain)
        np.testing.assert_allclose(np.exp(found_MK), wanted_MK, atol=1e-5)
    np.testing.assert_allclose(found_SMK[0], answers_MK, atol=1e-5)  # alone: as it was


def test_videos_stand_apart_and_order_of_rows_does_not_matter(rng):
    log_share_K = np.log(np.full(2, 0.5)).astype(np.float32)
    answers_MK = np.log(rng.dirichlet(np.ones(2), 8)).astype(np.float32)
    video_M, start_M = np.repeat([3, 7], 4), np.tile(np.arange(4.0), 2)
    both = smoothed(answers_MK, log_share_K, CHAINS, video_M, start_M)
    first = smoothed(answers_MK[:4], log_share_K, CHAINS, video_M[:4], start_M[:4])
    np.testing.assert_array_equal(both[:, :4], first)
    order = rng.permutation(8)
    mixed = smoothed(answers_MK[order], log_share_K, CHAINS, video_M[order], start_M[order])
    np.testing.assert_array_equal(mixed, both[:, order])


def test_a_class_that_was_never_learned_is_not_answered():
    log_share_K = np.log(np.array([0.6, 0.4, 1e-9])).astype(np.float32)
    answers_MK = np.log(np.array([[0.5, 0.5, 1e-9]] * 6)).astype(np.float32)
    found_SMK = smoothed(answers_MK, log_share_K, CHAINS, np.zeros(6, np.int64), np.arange(6.0))
    assert np.exp(found_SMK[:, :, 2]).max() < 1e-4


def test_a_lone_window_gives_way_to_its_neighbours():
    answers_MK = np.log(np.array([[0.8, 0.2]] * 3 + [[0.3, 0.7]] + [[0.8, 0.2]] * 3))
    log_share_K = np.log(np.full(2, 0.5)).astype(np.float32)
    order = np.zeros(7, np.int64), np.arange(7.0)
    alone, lasting = smoothed(
        answers_MK.astype(np.float32), log_share_K, (MarkovChain(0.0), MarkovChain(0.9)), *order
    )
    assert alone.argmax(axis=1).tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert lasting.argmax(axis=1).tolist() == [0] * 7


def test_a_chain_means_the_same_for_windows_of_another_length(rng):
    log_share_K = np.log(np.full(2, 0.5)).astype(np.float32)
    answers_MK = np.log(rng.dirichlet(np.ones(2), 6)).astype(np.float32)
    video_M, start_M = np.zeros(6, np.int64), np.arange(6.0)
    (whole,) = smoothed(answers_MK, log_share_K, (MarkovChain(0.81),), video_M, start_M)
    (half,) = smoothed(answers_MK, log_share_K, (MarkovChain(0.81),), video_M, start_M / 2)
    (told,) = smoothed(answers_MK, log_share_K, (MarkovChain(0.9),), video_M, start_M)
    np.testing.assert_allclose(half, told, atol=1e-5)  # 0.81 a second is 0.9 a half
    assert np.abs(half - whole).max() > 0.01


def test_chains_are_tried_by_the_window_and_kept_by_the_second():
    short, long = chains_of(0.5), chains_of(2.0)
    assert short[0].stay == long[0].stay == 0.0
    for a, b in zip(short, long, strict=True):
        np.testing.assert_allclose(a.stay**0.5, b.stay**2.0)
    assert all(0 <= chain.stay < 1 for chain in chains_of(0.0))
    np.testing.assert_allclose(MarkovChain.lasting(4.0).stay ** 4, np.exp(-1))
