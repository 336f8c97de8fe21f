"""Windows of several encoders are answered together, and better than by one."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.tasks.localise.learner import ChainedProbe, step_of

VIDEOS, WINDOWS = 10, 40


def made(rng):
    """Windows of videos whose class is seen in each window."""
    class_VM = np.repeat(rng.integers(0, 2, (VIDEOS, WINDOWS // 8)), 8, axis=1)
    signal_VM = 2.0 * class_VM - 1
    x_MD = rng.normal(0, 1.5, (VIDEOS * WINDOWS, 6))
    x_MD[:, 0] += signal_VM.ravel()
    start_M = np.tile(np.arange(WINDOWS) / 2, VIDEOS)
    video_M = np.repeat(np.arange(VIDEOS), WINDOWS)
    spans = [np.zeros_like(start_M), np.full_like(start_M, 20.0)]
    truth = np.column_stack([class_VM.ravel(), video_M, start_M, start_M + 0.5, *spans])
    return x_MD.astype(np.float32), truth, video_M % 5


def test_a_window_lasts_as_long_as_most(rng):
    assert step_of(made(rng)[1]) == 0.5


@pytest.mark.parametrize("count", [2, 3])
def test_several_encoders_are_answered_by_one_chain(rng, count):
    blocks, (truth, folds_M) = [], (None, None)
    for seed in range(count):
        x_MD, truth, folds_M = made(np.random.default_rng(7))
        noise_MD = np.random.default_rng(seed).normal(0, 1.5, x_MD.shape).astype(np.float32)
        blocks.append(x_MD + noise_MD)
    head, out_MK = ChainedProbe(smooths=False).together(blocks, truth, folds_M)
    assert len(head.members) == count and out_MK.shape == (len(truth), 2)
    one = ChainedProbe(smooths=False).fit(blocks[0], truth, folds_M)[1]
    losses = [-a[np.arange(len(a)), truth[:, 0].astype(int)].mean() for a in (out_MK, one)]
    assert losses[0] < losses[1]
