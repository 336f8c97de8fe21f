"""What benchmarks of training share: clips as a network sees them, and plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks._study import CACHE
from benchmarks._tasks import build
from vidfit.backbones import load
from vidfit.contracts import Preprocessing, Sampling
from vidfit.features import FeatureStore
from vidfit.jobs.train.folder import Split
from vidfit.jobs.train.run import standardised
from vidfit.launch import Here
from vidfit.manifest import grouped_folds, read_manifest
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject
from vidfit.progress import SILENT
from vidfit.study.clipsets import Prepared, frame_set, token_set
from vidfit.study.subject import Sight

LITE = "efficientnet-lite0"
FRAMES = 4
DESCRIBED = Machine("described", "cpu", 1, 2**34, {"fp32": 1e11}, 1e10, 2, described=True)


def tokens(task: str, cache: Path = CACHE) -> Prepared:
    """Return a task's clips as tokens of EfficientNet-Lite0, extracted once."""
    clips = read_manifest(build(task, cache / task)).clips
    return token_set(clips, load(LITE), FeatureStore(cache / "features"), Here(2), SILENT)


def small_frames(task: str, side_pixels: int, cache: Path = CACHE) -> Prepared:
    """Return a task's clips as four small frames each, decoded once."""
    clips = read_manifest(build(task, cache / task)).clips
    size = Preprocessing(side_pixels, side_pixels)
    seen = Sight(Sampling(1, FRAMES), size, tokens=FRAMES, dim=0, sees_frames=True)
    return frame_set(clips, seen, cache / "frames", Here(2), SILENT)


def part(ready: Prepared, fold: int = 0, seed: int = 0) -> Split:
    """Return recordings to learn from, and a quarter of them to be judged by."""
    labels = [ready.classes[label] for label in ready.set.labels_M]
    folds_M = grouped_folds(labels, ready.groups, folds=4, seed=seed)
    return Split(np.flatnonzero(folds_M != fold), np.flatnonzero(folds_M == fold))


def standard(ready: Prepared, split: Split) -> Prepared:
    """Return tokens standardised by those that are learned from."""
    return replace(ready, set=standardised(ready, split.learn_M)[1])


def plan_of(subject: Subject, layout: Layout, recipe: Recipe, ready: Prepared) -> Plan:
    """Return a plan that predicts nothing."""
    labels_M = ready.set.labels_M
    rarest = int(np.bincount(labels_M).min())
    steps = FRAMES if "frames" in ready.set.arrays else ready.set.arrays["tokens"][[0]].shape[1]
    data = Data(len(labels_M), len(ready.classes), rarest, steps)
    return Plan(subject, layout, recipe, Prediction(0, 0.0, 0.0, 0.0), data, DESCRIBED)
