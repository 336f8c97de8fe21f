"""Which neighbours are taken, and that they tell what a window alone does not."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.tasks.localise.learner import ChainedProbe, narrowest, step_of

VIDEOS, WINDOWS = 10, 40


def made(rng, told_beside):
    """Windows of videos whose class is seen in the window, or in those on either side only."""
    class_VM = np.repeat(rng.integers(0, 2, (VIDEOS, WINDOWS // 8)), 8, axis=1)
    signal_VM = 2.0 * class_VM - 1
    if told_beside:
        around = np.pad(signal_VM, ((0, 0), (1, 1)), mode="edge")
        signal_VM = around[:, :-2] + around[:, 2:]
        signal_VM = np.where(np.arange(WINDOWS) % 2, 0, signal_VM)
    x_MD = rng.normal(0, 1.5, (VIDEOS * WINDOWS, 6))
    x_MD[:, 0] += signal_VM.ravel()
    start_M = np.tile(np.arange(WINDOWS) / 2, VIDEOS)
    video_M = np.repeat(np.arange(VIDEOS), WINDOWS)
    spans = [np.zeros_like(start_M), np.full_like(start_M, 20.0)]
    truth = np.column_stack([class_VM.ravel(), video_M, start_M, start_M + 0.5, *spans])
    return x_MD.astype(np.float32), truth, video_M % 5


def test_neighbours_are_seen_where_they_tell_more(rng):
    x_MD, truth, folds_M = made(rng, told_beside=True)
    assert step_of(truth) == 0.5
    head, out_MK = ChainedProbe(smooths=False).fit(x_MD, truth, folds_M)
    _, alone_MK = ChainedProbe(widths=(0,), smooths=False).fit(x_MD, truth, folds_M)
    assert head.members[0].context.windows > 0
    right, alone = ((a.argmax(axis=1) == truth[:, 0]).mean() for a in (out_MK, alone_MK))
    assert right > alone + 0.1


def test_the_narrowest_is_taken_where_no_fold_shows_more():
    level = np.array([0.7, 0.6, 0.8])
    assert narrowest([level, level - np.array([0.1, -0.1, 0.01]), level + 1]) == 0
    assert narrowest([level, level - np.array([0.1, 0.12, 0.11])]) == 1
    assert narrowest([level + 0.2, level + np.array([0.01, -0.01, 0.01]), level]) == 1


@pytest.mark.parametrize("count", [2, 3])
def test_several_encoders_are_answered_by_one_chain(rng, count):
    blocks, (truth, folds_M) = [], (None, None)
    for seed in range(count):
        x_MD, truth, folds_M = made(np.random.default_rng(7), told_beside=False)
        noise_MD = np.random.default_rng(seed).normal(0, 1.5, x_MD.shape).astype(np.float32)
        blocks.append(x_MD + noise_MD)
    head, out_MK = ChainedProbe(widths=(0,), smooths=False).together(blocks, truth, folds_M)
    assert len(head.members) == count and out_MK.shape == (len(truth), 2)
    one = ChainedProbe(widths=(0,), smooths=False).fit(blocks[0], truth, folds_M)[1]
    losses = [-a[np.arange(len(a)), truth[:, 0].astype(int)].mean() for a in (out_MK, one)]
    assert losses[0] < losses[1]
