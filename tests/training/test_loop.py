"""The loop against a plain one, and against itself when it is cut, stopped or laid out anew."""

from __future__ import annotations

import math
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.tiny import (
    CHOOSE,
    CLASSES,
    EVERYTHING,
    LEARN,
    NONE,
    clip_set,
    network,
    plan_of,
    run_of,
    stop_at,
    trained,
)
from torch import nn

from vidfit.errors import StoreError, VidfitError
from vidfit.networks.clips import Clips
from vidfit.plans import Recipe
from vidfit.training import batches, loop
from vidfit.training.clipset import ClipSet
from vidfit.training.order import epoch_steps

PLAIN = Recipe(epochs=3, clip_norm=0.0, weight_decay=0.0)
REORDERED = {"atol": 1e-6, "rtol": 0}
"""Weights around 0.1 after some 15 steps; sums of float32 in another order."""


def equal(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[name], b[name]) for name in a)


def close(a, b, **tolerance):
    assert a.keys() == b.keys() and a
    for name in a:
        torch.testing.assert_close(a[name], b[name], **(tolerance or REORDERED))


# ---------------------------------------------------------------- against a plain loop


def by_hand(recipe, batch=8):
    """Train as a textbook does: whole batches, torch's loss and optimizers, no layers of ours.

    Returns weights, or their moving average where the recipe keeps one.
    """
    net, clips = network(), clip_set()
    tokens_MND, labels_M = (
        torch.from_numpy(clips.arrays["tokens"]),
        torch.from_numpy(clips.labels_M),
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    below_head = {"encoder.0": 4, "encoder.1": 3, "encoder.2": 2}  # 1 is what comes after
    groups = [
        {"params": [p], "weight_decay": recipe.weight_decay if p.ndim > 1 else 0.0,
         "scale": recipe.layer_decay ** below_head.get(name[:9], 0)}
        for name, p in net.named_parameters()
    ]  # fmt: skip
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.9, nesterov=True)
    else:
        optimizer = torch.optim.AdamW(groups, lr=1.0)
    average = {name: p.detach().clone() for name, p in net.named_parameters()}
    seen, step, whole = 0, 0, recipe.epochs * len(LEARN)
    for epoch in range(recipe.epochs):
        for rows in epoch_steps(LEARN, epoch, batch, recipe.seed):
            progress, warmup = min((seen + batch / 2) / whole, 1.0), recipe.warmup_share
            rest = (progress - warmup) / (1 - warmup)
            rate = progress / warmup if rest < 0 else 0.5 + 0.5 * math.cos(math.pi * rest)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * rate * group["scale"]
            optimizer.zero_grad()
            loss_of(net(Clips(tokens_BND=tokens_MND[rows])), labels_M[rows]).backward()
            if recipe.clip_norm:
                nn.utils.clip_grad_norm_(net.parameters(), recipe.clip_norm)
            optimizer.step()
            seen, step = seen + len(rows), step + 1
            decay = min(recipe.ema, (1 + step) / (10 + step))
            for name, p in net.named_parameters():
                average[name] = decay * average[name] + (1 - decay) * p.detach()
    return average if recipe.ema else {n: p.detach() for n, p in net.named_parameters()}


@pytest.mark.parametrize(
    "recipe",
    [
        PLAIN,
        replace(PLAIN, optimizer="sgd", learning_rate=0.1),
        replace(PLAIN, weight_decay=0.5, layer_decay=0.5),
        replace(PLAIN, label_smoothing=0.3),
        replace(PLAIN, clip_norm=0.05, optimizer="sgd", learning_rate=0.1),
        replace(PLAIN, ema=0.8),
        replace(PLAIN, warmup_share=0.0, seed=5),
    ],
    ids=["adamw", "sgd", "decays", "smoothing", "clipping", "average", "no warm-up"],
)
@pytest.mark.parametrize("batch", [8, 12])
def test_it_learns_what_a_plain_loop_learns(recipe, batch):
    """40 clips by 12 leave a last step of 4, in micro-batches of 5: every clip weighs alike."""
    plan = plan_of(recipe, micro_batch=4, accumulation=batch // 4)
    found = trained(plan, run_of(choose_M=NONE))
    close(dict(found.weights), by_hand(recipe, batch))


def test_the_loss_it_tells_is_the_mean_over_clips():
    recipe = replace(PLAIN, epochs=1, learning_rate=0.0)
    found = trained(plan_of(recipe, micro_batch=3, accumulation=5))
    clips = clip_set()
    with torch.no_grad():
        logits_MK, chosen_MK = (network()(clips.read(rows)) for rows in (LEARN, CHOOSE))
    expected = nn.functional.cross_entropy(logits_MK, torch.from_numpy(clips.labels_M[LEARN]))
    assert found.history[0].loss == pytest.approx(float(expected), rel=1e-6)
    truth = torch.from_numpy(clips.labels_M[CHOOSE])
    log_loss = float(nn.functional.cross_entropy(chosen_MK, truth))
    assert found.history[0].log_loss == pytest.approx(log_loss, rel=1e-6)
    assert found.history[0].accuracy == float((chosen_MK.argmax(1) == truth).double().mean())


# ---------------------------------------------------------------- layouts and interruptions


@pytest.mark.parametrize(("micro", "accumulation"), [(8, 2), (4, 4), (2, 8), (1, 16)])
def test_accumulation_changes_nothing(micro, accumulation):
    whole = trained(plan_of(EVERYTHING, micro_batch=16, accumulation=1))
    parts = trained(plan_of(EVERYTHING, micro_batch=micro, accumulation=accumulation))
    close(dict(parts.weights), dict(whole.weights))


def test_a_step_holds_one_micro_batch_at_a_time(monkeypatch):
    given, held = [], []

    def watched(*args):
        for one in batches.loaded(*args):
            held.append(sum(tokens() is not None for tokens in given))
            given.append(weakref.ref(one[1].tokens_BND))
            yield one
            del one

    monkeypatch.setattr(loop, "loaded", watched)
    trained(plan_of(EVERYTHING, micro_batch=2, accumulation=8))
    assert len(held) > 40 and max(held) == 0


@pytest.mark.parametrize("moment", [1, 5, 7, 11])
def test_a_run_that_was_interrupted_goes_on_to_the_bit(tmp_path, moment):
    plan = plan_of(EVERYTHING)
    whole = trained(plan, dropout=0.3)
    paused = trained(plan, run_of(tmp_path, stop=stop_at(moment)), dropout=0.3)
    assert not paused.finished
    rest = trained(plan, run_of(tmp_path), dropout=0.3)
    assert rest.finished
    assert equal(dict(whole.weights), dict(rest.weights))
    told = [[replace(e, seconds=0.0) for e in run.history] for run in (whole, rest)]
    assert repr(told[0]) == repr(told[1])  # nan is not equal to itself


def test_a_run_that_has_ended_has_ended(tmp_path):
    first = trained(plan_of(EVERYTHING), run_of(tmp_path))
    again = trained(plan_of(EVERYTHING), run_of(tmp_path, look=pytest.fail))
    assert again.finished
    assert equal(dict(first.weights), dict(again.weights))


def test_another_layout_of_the_same_batch_goes_on(tmp_path):
    assert not trained(
        plan_of(EVERYTHING, micro_batch=8, accumulation=1), run_of(tmp_path, stop=stop_at(7))
    ).finished
    other = plan_of(EVERYTHING, micro_batch=2, accumulation=4, loader_workers=1)
    rest, whole = trained(other, run_of(tmp_path)), trained(other)
    assert rest.finished
    close(dict(rest.weights), dict(whole.weights))


@pytest.mark.parametrize(
    "change",
    [{"learning_rate": 0.5}, {"seed": 1}, {"epochs": 9}, {"batch_schedule": ((0.0, 2.0),)}],
)
def test_a_checkpoint_of_another_plan_is_refused(tmp_path, change):
    trained(plan_of(EVERYTHING), run_of(tmp_path, stop=stop_at(3)))
    with pytest.raises(StoreError, match="of another plan; train into another folder"):
        trained(plan_of(replace(EVERYTHING, **change)), run_of(tmp_path))


def test_a_checkpoint_of_another_batch_is_refused(tmp_path):
    trained(plan_of(EVERYTHING), run_of(tmp_path, stop=stop_at(3)))
    with pytest.raises(StoreError, match="of another plan"):
        trained(plan_of(EVERYTHING, accumulation=3), run_of(tmp_path))


def test_each_epoch_is_told_before_it_is_saved(tmp_path):
    """Or a kill in between would lose what the epoch did."""
    told = []

    def look(epoch):
        told.append(epoch.number)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(plan_of(EVERYTHING), run_of(tmp_path, look=look))
    assert trained(plan_of(EVERYTHING), run_of(tmp_path, look=look)).finished
    assert told == [0, 1, 2, 2, 3]


# ---------------------------------------------------------------- epochs, batches, ends


def test_it_stops_when_it_no_longer_gets_better_and_keeps_the_best():
    clips = clip_set()
    # What is chosen by is labelled at random: soon it only gets worse.
    labels_M = clips.labels_M.copy()
    labels_M[CHOOSE] = np.random.default_rng(1).integers(0, CLASSES, len(CHOOSE))
    run = run_of(clips=replace(clips, labels_M=labels_M))
    recipe = replace(PLAIN, epochs=60, learning_rate=0.05, patience=4)
    found = trained(plan_of(recipe), run)
    losses = [epoch.log_loss for epoch in found.history]
    assert found.finished
    assert len(losses) == found.best_epoch + 1 + 4 < 60
    assert losses[found.best_epoch] == min(losses)
    net = network()
    net.load_state_dict(dict(found.weights))
    logits_MK = net(run.clips.read(CHOOSE)).detach()
    again = nn.functional.cross_entropy(logits_MK, torch.from_numpy(labels_M[CHOOSE]))
    assert float(again) == pytest.approx(min(losses), rel=1e-5)


def test_without_clips_to_choose_by_the_last_epoch_is_kept():
    found = trained(plan_of(replace(PLAIN, patience=1)), run_of(choose_M=NONE))
    assert (found.best_epoch, len(found.history)) == (2, 3)
    assert math.isnan(found.history[0].log_loss)


def test_the_batch_grows_by_the_table_and_the_rate_with_it():
    recipe = replace(PLAIN, epochs=4, warmup_share=0.0, batch_schedule=((0.0, 0.5), (0.5, 4.0)))
    found = trained(plan_of(recipe))
    assert [epoch.batch_clips for epoch in found.history] == [4, 4, 32, 32]
    assert [epoch.steps for epoch in found.history] == [10, 10, 2, 2]
    for number, (batch, factor) in enumerate([(4, 0.5), (4, 0.5), (32, 4.0)]):
        progress = (40 * (number + 1) + batch / 2) / 160  # of the step that comes next
        expected = 1e-3 * math.sqrt(factor) * (0.5 + 0.5 * math.cos(math.pi * progress))
        assert found.history[number].learning_rate == pytest.approx(expected, rel=1e-6)


def test_random_numbers_do_not_depend_on_what_was_drawn_before():
    torch.manual_seed(1)
    first = trained(plan_of(EVERYTHING), dropout=0.5)
    torch.manual_seed(2)
    torch.rand(7)
    assert equal(dict(first.weights), dict(trained(plan_of(EVERYTHING), dropout=0.5).weights))


def test_a_loss_that_is_no_number_ends_it(tmp_path):
    clips = clip_set()
    tokens_MND = clips.arrays["tokens"].copy()
    tokens_MND[LEARN[0]] = np.inf
    with pytest.raises(VidfitError, match=r"diverged in epoch 1: .* lower learning_rate"):
        trained(
            plan_of(PLAIN), run_of(tmp_path, clips=ClipSet(clips.labels_M, {"tokens": tokens_MND}))
        )
    assert not list(tmp_path.iterdir())
