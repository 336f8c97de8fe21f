"""The average teaches when it is sure, changes keep what is shown, runs go on to the bit."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.tiny import (
    CHOOSE,
    NONE,
    clip_set,
    network,
    plan_of,
    run_of,
    stop_at,
    trained,
)
from torch import nn

from vidfit.errors import VidfitError
from vidfit.networks.clips import Clips
from vidfit.networks.vocabulary import UNKNOWN
from vidfit.plans import Recipe
from vidfit.training.clipset import ClipSet
from vidfit.training.loop import train
from vidfit.training.parallel import launch
from vidfit.training.state import Run
from vidfit.training.teacher import STRONG_MOVE, WEAK_MOVE, strong, sure_targets, weak
from vidfit.training.within import train_within

TAUGHT = Recipe(epochs=3, ema=0.9, unlabelled_ratio=2, threshold=0.36)
"""Of three classes: some answers of a fresh network are sure enough."""
LEARN, BARE = np.arange(12), np.arange(12, 40)


def taught_run(folder=None, **parts):
    labels_M = clip_set().labels_M.copy()
    labels_M[BARE] = -1
    clips = replace(clip_set(), labels_M=labels_M)
    return replace(Run(clips, LEARN, CHOOSE, folder, unlabelled_M=BARE), **parts)


# ---------------------------------------------------------------- what is taught


def test_an_answer_is_a_label_from_the_threshold_on():
    answer_BK = torch.tensor([[0.95, 0.05], [0.94, 0.06], [0.01, 0.99]])
    assert sure_targets(answer_BK, 0.95).tolist() == [[1, 0], [0, 0], [0, 1]]


def moving_square(height=32, width=48):
    """Return a clip whose bright square goes to the right."""
    frames = torch.full((1, 1, 4, height, width, 3), 20, dtype=torch.uint8)
    for t in range(4):
        frames[0, 0, t, 12:20, 8 + 8 * t : 16 + 8 * t] = 250
    return frames


def test_a_weak_change_moves_all_frames_alike_and_by_little():
    torch.manual_seed(0)
    frames = moving_square()
    seen = set()
    for _ in range(30):
        moved = weak(Clips(frames_BVTHWC=frames)).frames_BVTHWC
        assert moved.dtype == torch.uint8 and moved.shape == frames.shape
        corners = [
            tuple(int(i) for i in (moved[0, 0, t, :, :, 0] > 100).nonzero()[0]) for t in range(4)
        ]
        rows, columns = zip(*corners, strict=True)
        assert len(set(rows)) == 1 and [c - columns[0] for c in columns] == [0, 8, 16, 24]
        assert abs(rows[0] - 12) <= round(WEAK_MOVE * 32)
        assert abs(columns[0] - 8) <= round(WEAK_MOVE * 48)
        seen.add(corners[0])
    assert len(seen) > 1
    tokens = Clips(tokens_BND=torch.randn(2, 3, 4))
    assert weak(tokens) is tokens


def test_a_strong_change_hides_a_square_at_all_times_and_does_not_mirror():
    torch.manual_seed(1)
    row_W = torch.linspace(60, 190, 48).byte()  # brighter to the right
    frames = row_W[None, None, None, None, :, None].expand(3, 2, 4, 32, 48, 3).contiguous()
    changed = strong(Clips(frames_BVTHWC=frames)).frames_BVTHWC
    assert changed.dtype == torch.uint8
    assert (changed == changed[:, :1, :1]).all()  # all frames of all views alike
    hidden = (changed[:, 0, 0, :, :, 0] == 127).float().mean(dim=(1, 2))
    assert ((hidden >= 0.25) & (hidden < 0.3)).all()
    for clip in changed:
        rows = clip[0, 0, :, :, 0].float()
        free = rows[(rows == 127).sum(dim=1) < 24]  # rows above or below the square
        assert len(free) == 16
        assert (free.diff(dim=1) >= 0).all()
    levels = changed[:, 0, 0, :, :, 0].float().flatten(1).amax(dim=1)
    assert len(set(levels.tolist())) == 3  # lit each in its way
    assert round(STRONG_MOVE * 48) == 6


def test_tokens_and_words_are_hidden_in_part():
    torch.manual_seed(0)
    words = torch.tensor([[5, 6, 7, 8, 0, 0]]).repeat(500, 1)
    changed = strong(Clips(tokens_BND=torch.ones(500, 8, 4), text_BL=words))
    hidden_BN = (changed.tokens_BND == 0).all(dim=2)
    assert hidden_BN.float().mean() == pytest.approx(0.25, abs=0.03)
    assert changed.tokens_BND[~hidden_BN].std() == pytest.approx(0.5, abs=0.03)
    assert (changed.text_BL[:, 4:] == 0).all()
    unknown = changed.text_BL[:, :4] == UNKNOWN
    assert unknown.float().mean() == pytest.approx(0.15, abs=0.03)
    assert (changed.text_BL[:, :4][~unknown] == words[:, :4][~unknown]).all()


# ---------------------------------------------------------------- the loop


@pytest.mark.parametrize("moment", [1, 4])
def test_a_run_that_was_interrupted_goes_on_to_the_bit(tmp_path, moment):
    plan = plan_of(TAUGHT, micro_batch=3, accumulation=2)
    whole = trained(plan, taught_run(), dropout=0.3)
    assert not trained(plan, taught_run(tmp_path, stop=stop_at(moment)), dropout=0.3).finished
    rest = trained(plan, taught_run(tmp_path), dropout=0.3)
    assert all(torch.equal(t, rest.weights[n]) for n, t in whole.weights.items())
    told = [[replace(e, seconds=0.0) for e in run.history] for run in (whole, rest)]
    assert told[0] == told[1]
    assert all(0 < epoch.taught <= 1 for epoch in whole.history)


def test_without_a_sure_teacher_only_labels_are_learned():
    """Micro-batches with labels keep their random numbers, so that nothing else differs."""
    never = plan_of(replace(TAUGHT, threshold=1.0), micro_batch=6, accumulation=1)
    alone = plan_of(replace(TAUGHT, unlabelled_ratio=0), micro_batch=6, accumulation=1)
    found, expected = trained(never, taught_run(), 0.3), trained(alone, taught_run(), 0.3)
    assert [e.taught for e in found.history] == [0.0] * 3
    assert all(math.isnan(e.taught) for e in expected.history)
    assert all(torch.equal(t, expected.weights[n]) for n, t in found.weights.items())


def test_accumulation_changes_nothing_but_random_numbers(monkeypatch):
    monkeypatch.setattr("vidfit.training.loop.strong", lambda clips: clips)
    whole = trained(plan_of(TAUGHT, micro_batch=6, accumulation=1), taught_run())
    parts = trained(plan_of(TAUGHT, micro_batch=2, accumulation=3), taught_run())
    for name, tensor in whole.weights.items():
        torch.testing.assert_close(parts.weights[name], tensor, atol=1e-5, rtol=0)
    assert [e.taught for e in whole.history] == [e.taught for e in parts.history]


class Told(nn.Module):
    """Keeps what it is asked, and whether it was learning."""

    def __init__(self):
        super().__init__()
        self.inner = network()
        self.asked = []

    def forward(self, clips):
        first = self.inner.answer.weight.detach().clone()
        self.asked.append((self.training, len(clips), first))
        return self.inner(clips)


def test_the_teacher_is_the_average_and_learns_nothing():
    told = Told()
    plan = plan_of(replace(TAUGHT, epochs=1, learning_rate=0.1), micro_batch=24, accumulation=1)
    train(told, plan, taught_run(choose_M=NONE), launch(plan.layout, "cpu"))
    # One step of 12 clips, batch 24: the teacher, the student, the clips with labels.
    assert [(mode, count) for mode, count, _ in told.asked] == [(False, 24), (True, 24), (True, 12)]
    plan = plan_of(replace(TAUGHT, epochs=2, learning_rate=0.1), micro_batch=24, accumulation=1)
    told = Told()
    train(told, plan, taught_run(choose_M=NONE), launch(plan.layout, "cpu"))
    teacher, student = told.asked[3][2], told.asked[4][2]
    assert not torch.equal(teacher, student)
    start = told.asked[0][2]  # the average after one step: 2/11 of the start, the rest of the step
    torch.testing.assert_close(teacher, start * 2 / 11 + student * 9 / 11)


def test_a_teacher_needs_an_average_and_clips():
    with pytest.raises(VidfitError, match="no clips without a label"):
        trained(plan_of(TAUGHT), run_of())
    for recipe in (replace(TAUGHT, ema=0.0), replace(TAUGHT, mixup=0.2)):
        with pytest.raises(VidfitError, match="ema is above 0, and clips that it teaches are not"):
            trained(plan_of(recipe), taught_run())


def test_the_time_that_there_is_counts_clips_without_a_label():
    """Fewer epochs fit, and it ends in time."""
    epochs = {}
    for ratio in (0, 8):
        recipe = replace(TAUGHT, unlabelled_ratio=ratio, epochs=100_000)
        plan = plan_of(recipe, micro_batch=4, accumulation=1)
        started = time.process_time()
        done = train_within(network(), plan, taught_run(), launch(plan.layout, "cpu"), 0.6)
        assert time.process_time() - started < 2.0
        epochs[ratio] = len(done.history)
    assert 0 < 2 * epochs[8] < epochs[0]
    assert recipe.passes == pytest.approx(1 + 8 * 4 / 3)


# ---------------------------------------------------------------- what it is good for

DIM = 20


class Linear(nn.Module):
    """Starts from zero, so that it learns the same each time."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(DIM, 2)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, clips):
        return self.layer(clips.tokens_BND.mean(dim=1))


def clusters(clips, seed):
    """Return tokens [M, 1, D] of two clouds, 5 deviations apart, and which each clip is of."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % 2
    centre_D = np.where(np.arange(DIM) < 4, 1.25, 0.0)
    tokens_MD = rng.normal(size=(clips, DIM)) + np.where(labels_M, 1, -1)[:, None] * centre_D
    return tokens_MD[:, None].astype(np.float32), labels_M


def test_clips_without_a_label_help_where_they_lie_in_clusters():
    gains = []
    for seed in range(2):
        tokens, labels_M = clusters(300, seed)
        known_M = np.where(np.arange(300) < 4, labels_M, -1)
        (test, truth_M), found = clusters(1000, 100 + seed), []
        for ratio, epochs in ((0, 110), (8, 30)):
            recipe = Recipe(
                epochs=epochs, learning_rate=0.05, weight_decay=0.0, ema=0.9, dropout=0.0,
                unlabelled_ratio=ratio, threshold=0.8,
            )  # fmt: skip
            plan = plan_of(recipe, micro_batch=32, accumulation=1)
            plan = replace(plan, data=replace(plan.data, classes=2))
            module = Linear()
            run = Run(
                ClipSet(known_M, {"tokens": tokens}), np.arange(4), NONE,
                unlabelled_M=np.arange(4, 300),
            )  # fmt: skip
            done = train(module, plan, run, launch(plan.layout, "cpu"))
            module.load_state_dict(dict(done.weights))
            seen = ClipSet(truth_M, {"tokens": test}).read(np.arange(1000))
            with torch.no_grad():
                found.append((module.eval()(seen).argmax(1).numpy() == truth_M).mean())
        gains.append(found[1] - found[0])
    assert np.mean(gains) > 0.03
