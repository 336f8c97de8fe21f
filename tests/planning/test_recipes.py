from __future__ import annotations

from dataclasses import replace

import pytest

from vidfit.errors import VidfitError
from vidfit.planning.machines import DEVICES, described, this_machine
from vidfit.planning.recipes import MOST_RATIO, batch_for, recipe_for, regime_for, taught
from vidfit.plans import Data, Recipe
from vidfit.shown import counted

DATA = Data(400, 4, 50, 8)


@pytest.mark.parametrize(
    ("rarest", "regime"),
    [(1, "probe"), (10, "probe"), (11, "lp-ft"), (100, "lp-ft"), (101, "full")],
)
def test_labels_of_the_rarest_class_choose_the_regime(rarest, regime):
    found, why = regime_for(replace(DATA, rarest=rarest), None, can_tune=True)
    assert found == regime and f"has {counted(rarest, 'clip')}" in why


def test_what_was_asked_for_or_cannot_learn_goes_before():
    assert regime_for(DATA, "full", can_tune=True) == ("full", "you asked for it")
    assert regime_for(DATA, None, can_tune=False)[0] == "probe"


@pytest.mark.parametrize(
    ("clips", "asked", "batch"),
    [(8, None, 8), (100, None, 16), (640, None, 32), (9000, None, 64), (400, 128, 128)],
)
def test_a_batch_gives_some_steps_an_epoch(clips, asked, batch):
    assert batch_for(replace(DATA, clips=clips), asked)[0] == batch


def test_the_rate_goes_with_the_root_of_the_batch():
    small, large = (recipe_for("full", None, batch)[0] for batch in (16, 64))
    assert large.learning_rate == pytest.approx(2 * small.learning_rate, rel=0.02)
    assert recipe_for("probe", 7, 32)[0].epochs == 7


def test_described_machines():
    eight = described("H100 x 8")
    assert (eight.devices, eight.device, eight.described) == (8, "cuda", True)
    assert "bf16" in eight.flops_per_second and 70e9 < eight.memory_bytes < 80 * 2**30
    assert "fp16" in described("T4").flops_per_second
    some = described("24GiB x 4", cores=12)
    assert (some.devices, some.cores) == (4, 12)
    slowest = min(d.half_tflops for d in DEVICES.values() if d.memory_gib >= 24 and d.bf16)
    assert some.flops_per_second["bf16"] == slowest * 1e12


@pytest.mark.parametrize(
    ("words", "message"),
    [("H10", "did you mean 'H100'"), ("H100 x 0", "is no machine"), ("", "is no machine")],
)
def test_unknown_machines_are_refused(words, message):
    with pytest.raises(VidfitError, match=message):
        described(words)


def test_this_machine_is_measured_and_may_be_limited():
    found = this_machine(memory_bytes=2**28)
    assert found.memory_bytes == 2**28 and not found.described
    # Any processor of this century lies within.
    assert 1e8 < found.flops_per_second["fp32"] < 1e14
    assert 1e7 < found.bandwidth_bytes_per_second < 1e13
    assert this_machine(cores=found.cores + 1).described


@pytest.mark.parametrize(
    ("unlabelled", "ratio"), [(10, 1), (400, 1), (700, 2), (100_000, MOST_RATIO)]
)
def test_a_teacher_is_an_average_and_shows_as_many_clips_as_there_are_up_to_some(unlabelled, ratio):
    recipe, why = taught(Recipe(label_smoothing=0.1), replace(DATA, unlabelled=unlabelled))
    assert (recipe.unlabelled_ratio, recipe.threshold) == (ratio, 0.95)
    assert recipe.ema > 0 and recipe.label_smoothing == recipe.mixup == 0
    assert f"{unlabelled} clips without a label for 400 with" in why["unlabelled_ratio"]
    assert taught(recipe_for("full", None, 32)[0], DATA)[1] == {}


def test_passes_are_what_a_step_computes():
    assert Recipe().passes == 1
    assert Recipe(unlabelled_ratio=3).passes == pytest.approx(1 + 3 + 3 / 3)
