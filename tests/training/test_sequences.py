from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from vidfit.errors import NotEnoughDataError, StoreError
from vidfit.networks import Shape
from vidfit.networks.gpt import GptLanguage
from vidfit.plans import Recipe
from vidfit.training.sequences import SequenceRun, seconds_a_step, train_sequences

SHAPE = Shape(dim=0, tokens=8, classes=5, width=16, layers=1, heads=2, vocabulary=5, dropout=0.1)
TOKENS = np.tile(np.array([1, 2, 3, 4, 0], np.uint32), 40)


def network():
    torch.manual_seed(0)
    return GptLanguage(SHAPE)


def run(**changes):
    recipe = Recipe(learning_rate=1e-2, ema=0.9)
    return replace(SequenceRun(TOKENS, TOKENS[:40], recipe, 40, windows=4, length=8), **changes)


def test_it_learns_and_keeps_the_best():
    found = train_sequences(network(), run())
    assert found.finished and found.looks[-1].step == 40
    assert found.looks[0].nats > 1.2 and found.looks[-1].nats < 0.4


def test_an_interrupted_run_goes_on_to_the_bit(tmp_path):
    whole = train_sequences(network(), run())
    asked = iter([False] * 14 + [True])
    part = train_sequences(network(), run(folder=tmp_path, stop=lambda: next(asked)))
    assert not part.finished and len(part.looks) == 3
    rest = train_sequences(network(), run(folder=tmp_path))
    assert rest.finished and rest.looks == whole.looks
    assert all(torch.equal(rest.weights[name], whole.weights[name]) for name in whole.weights)
    assert rest.cpu_seconds > part.cpu_seconds > 0


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    train_sequences(network(), run(folder=tmp_path, steps=3))
    for other in (run(folder=tmp_path, steps=4), run(folder=tmp_path, steps=3, facts={"a": 1})):
        with pytest.raises(StoreError, match="of another run"):
            train_sequences(network(), other)


def test_without_tokens_to_choose_by_the_last_weights_are_kept():
    module = network()
    found = train_sequences(module, run(choose_N=TOKENS[:0], recipe=Recipe(), steps=5))
    assert math.isnan(found.looks[-1].nats)
    assert torch.equal(found.weights["embedding.weight"], module.embedding.weight)


def test_timing_leaves_the_weights_and_too_few_tokens_are_refused():
    module = network()
    before = module.embedding.weight.clone()
    assert seconds_a_step(module, run()) > 0
    assert torch.equal(before, module.embedding.weight)
    with pytest.raises(NotEnoughDataError, match="cannot fill"):
        train_sequences(network(), run(tokens_N=TOKENS[:8]))
