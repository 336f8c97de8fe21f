"""Runs that are small enough for tests of training regimes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject
from vidfit.training.clipset import ClipSet
from vidfit.training.loop import train
from vidfit.training.parallel import launch
from vidfit.training.state import Run

NONE = np.zeros(0, np.int64)
MACHINE = Machine("described", "cpu", 1, 2**33, {"fp32": 1e11}, 1e10, 2, described=True)
RECIPE = Recipe(epochs=8, learning_rate=1e-2, weight_decay=0.0, ema=0.9, dropout=0.0, seed=3)


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


def plan_of(clips, recipe=RECIPE, classes=2, **layout):
    subject = Subject("attention", "", "probe")
    data = Data(clips, classes, 1, 1)
    layout = Layout(**{"micro_batch": 16, **layout})
    return Plan(subject, layout, recipe, Prediction(0, 0.0, 0.0, 0.0), data, MACHINE)


def trained(network, clips, rows, recipe=RECIPE, classes=2, layout=None, **run):
    """Train on one process; return what the run came to, and the network with its weights."""
    plan = plan_of(len(clips.labels_M), recipe, classes, **(layout or {}))
    done = train(network, plan, Run(clips, rows, NONE, **run), launch(plan.layout, "cpu"))
    if done.weights:
        network.load_state_dict(dict(done.weights))
    return done, network.eval()


def clusters(clips, seed):
    """Return tokens [M, 1, D] of two clouds, 5 deviations apart, and which each clip is of."""
    rng = np.random.default_rng(seed)
    labels_M = np.arange(clips) % 2
    centre_D = np.where(np.arange(DIM) < 4, 1.25, 0.0)
    tokens_MD = rng.normal(size=(clips, DIM)) + np.where(labels_M, 1, -1)[:, None] * centre_D
    return tokens_MD[:, None].astype(np.float32), labels_M


def few_labels(labels_M, each, seed=0):
    """Return labels of which so many of each class are known, and -1 for the rest."""
    rng = np.random.default_rng(seed)
    known = np.concatenate(
        [rng.choice(np.flatnonzero(labels_M == k), each, replace=False) for k in (0, 1)]
    )
    few_M = np.full(len(labels_M), -1)
    few_M[known] = labels_M[known]
    return few_M


def hits(network, tokens_MND, labels_M):
    """Return 1 where the network is right."""
    clips = ClipSet(labels_M, {"tokens": tokens_MND}).read(np.arange(len(labels_M)))
    with torch.no_grad():
        return (network(clips).argmax(dim=1).numpy() == labels_M).astype(float)


def longer(epochs, **changes):
    return replace(RECIPE, epochs=epochs, **changes)
