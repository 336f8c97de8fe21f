"""A network, clips and plans so small that a run takes a moment."""

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

CLASSES = 3
LEARN = np.arange(40)
CHOOSE = np.arange(40, 53)
NONE = np.zeros(0, np.int64)
EVERYTHING = Recipe(
    epochs=4, mixup=0.3, ema=0.9, batch_schedule=((0.0, 1.0), (0.5, 4.0)),
    label_smoothing=0.1, layer_decay=0.8,
)  # fmt: skip
"""Whatever a recipe can ask for, but for dropout."""


class Tiny(nn.Module):
    """An encoder of three layers over the mean of the tokens, and an answer."""

    def __init__(self, dropout=0.0):
        super().__init__()
        layers = [nn.Sequential(nn.Linear(width, 16), nn.Tanh()) for width in (6, 16, 16)]
        self.encoder = nn.Sequential(*layers)
        self.drop = nn.Dropout(dropout)
        self.answer = nn.Linear(16, CLASSES)

    def forward(self, clips):
        return self.answer(self.drop(self.encoder(clips.tokens_BND.mean(1))))


def network(dropout=0.0):
    torch.manual_seed(0)
    return Tiny(dropout)


def clip_set(clips=53):
    rng = np.random.default_rng(0)
    labels_M = rng.integers(0, CLASSES, clips)
    tokens_MND = rng.normal(size=(clips, 4, 6)).astype(np.float32)
    tokens_MND[:, :, 0] += labels_M[:, None]
    return ClipSet(labels_M, {"tokens": tokens_MND})


def plan_of(recipe, **layout):
    return Plan(
        Subject("mean", ""),
        replace(Layout(4, 2), **layout),
        recipe,
        Prediction(0, 0.0, 0.0, 0.0),
        Data(53, CLASSES, 10, 4),
        Machine("described", "cpu", 1, 2**33, {}, 1e10, 2, described=True),
    )


def run_of(folder=None, **parts):
    return replace(Run(clip_set(), LEARN, CHOOSE, folder), **parts)


def trained(plan, run=None, dropout=0.0):
    """Train on this process, or on those that torchrun started."""
    return train(network(dropout), plan, run or run_of(), launch(plan.layout, "cpu"))


def stop_at(step):
    """Return what asks to stop after so many steps."""
    calls = iter(range(1, 10_000))
    return lambda: next(calls) >= step
