"""Training ends when its time is used up, and never without weights."""

from __future__ import annotations

import time

import torch
from tests.training.tiny import CHOOSE, LEARN, clip_set, network, plan_of

from vidfit.plans import Recipe
from vidfit.training.parallel import launch
from vidfit.training.state import Run
from vidfit.training.within import train_within


def within(cpu_seconds, recipe, **run):
    plan = plan_of(recipe)
    found = network()
    given = Run(clip_set(), LEARN, CHOOSE, **run)
    return found, train_within(found, plan, given, launch(plan.layout, "cpu"), cpu_seconds)


def test_the_plan_has_the_most_epochs_and_the_time_decides():
    _, done = within(60.0, Recipe(epochs=3))
    assert done.finished and len(done.history) == 3
    started = time.process_time()
    _, done = within(0.3, Recipe(epochs=100_000))
    assert len(done.history) > 1
    assert time.process_time() - started < 2.0


def test_without_a_whole_epoch_the_weights_are_those_of_the_end():
    module, done = within(0.0, Recipe(epochs=5))
    assert not done.finished and not done.history
    assert all(torch.equal(t, done.weights[n]) for n, t in module.state_dict().items())


def test_a_run_that_was_interrupted_keeps_its_epochs(tmp_path):
    asked = iter(range(10**6))
    _, first = within(0.5, Recipe(epochs=40), folder=tmp_path, stop=lambda: next(asked) == 30)
    assert not first.finished
    _, rest = within(60.0, Recipe(epochs=40), folder=tmp_path)
    assert rest.finished and rest.history[: len(first.history)] == first.history
