"""Does a network over time pay, on real fights? The data set's own recipe against vidfit's choice.

Akti, Tataroglu and Ekenel (2019), who published the surveillance clips, put a Bi-LSTM with
attention on a CNN. Here the CNN is EfficientNet-Lite0 (8 frames a clip, frozen), or the motion
statistics; networks learn on its tokens. Every clip is answered by a fit that has not seen its
recording (5 folds of recordings, the epoch chosen by a fifth of the others), several seeds of
the deal. The row to be held against is the frozen probe that `vidfit fit` chooses there.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE
from vidfit import backbones as zoo
from vidfit.contracts import Floats
from vidfit.features import FeatureStore
from vidfit.fusion.linear import cross_fit
from vidfit.jobs.fit.trainees import train_head
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.metrics import mean_interval
from vidfit.progress import SILENT
from vidfit.runtime import accelerate
from vidfit.selection import hits
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table

BACKBONES = ("efficientnet-lite0", "motion")
NETWORKS = ("bilstm-attention", "lstm", "attention", "transformer", "shift", "mean")
OWN_RECIPE, CHOICE = "efficientnet-lite0 + bilstm-attention", "motion + frozen probe"


def main() -> None:
    """Answer all clips by all recipes, then compare."""
    options = _options()
    start = environment()
    if not SURVEILLANCE.is_dir():
        raise SystemExit(f"{SURVEILLANCE} is missing; give the surveillance clips")
    data = _table()
    recipes = [(b, n) for b in BACKBONES for n in ("frozen probe", *options.networks)]
    with threadpool_limits(options.threads):
        hits_RM = {
            f"{backbone} + {network}": np.mean(
                [_hits(data, backbone, network, seed) for seed in range(options.seeds)], axis=0
            )
            for backbone, network in recipes
        }
    figures = _compared(hits_RM, data)
    _show(figures)
    own = figures[OWN_RECIPE]["gain"]
    best = max(figures, key=lambda name: figures[name]["accuracy"][0])
    finish(
        options,
        figures,
        start,
        f"the data set's own recipe: {figures[OWN_RECIPE]['accuracy'][0]:.1%}, {own[0] * 100:+.1f} "
        f"points [{own[1] * 100:+.1f}, {own[2] * 100:+.1f}] against vidfit's choice "
        f"({CHOICE}, {figures[CHOICE]['accuracy'][0]:.1%}); best of all rows: {best}",
        met=None,
    )


def _hits(data: Table, backbone: str, network: str, seed: int) -> Floats:
    """Return which clips are answered rightly by fits without their recording."""
    rows, classes = data.rows, len(data.classes)
    folds = Folds(data.classes)
    fold_M = folds.by_recording(rows.labels_M, rows.groups, seed)
    answers_MK = np.zeros((len(fold_M), classes), np.float32)
    for fold in np.unique(fold_M):
        learn, test = rows.where(fold_M != fold), rows.where(fold_M == fold)
        inner_M = folds.to_choose(learn.labels_M, learn.groups, 1 + int(fold))
        if network == "frozen probe":
            probe, _ = cross_fit([learn.vectors[backbone]], learn.labels_M, inner_M)
            answers_MK[fold_M == fold] = probe.log_probabilities([test.vectors[backbone]])
        else:
            head, _ = train_head(learn, inner_M == inner_M.min(), backbone, classes, network)
            answers_MK[fold_M == fold] = head.log_probabilities([test.steps[backbone]])
    print(f"  {backbone} + {network}, deal {seed}: {hits(answers_MK, rows.labels_M).mean():.1%}")
    return hits(answers_MK, rows.labels_M)


def _compared(hits_RM: dict[str, Floats], data: Table) -> dict[str, Any]:
    majority = np.bincount(data.labels_M).argmax()
    rows = {"majority class": (data.labels_M == majority).astype(np.float32), **hits_RM}
    return {
        name: {
            "accuracy": _three(mean_interval(hits_M, data.groups)),
            "gain": _three(mean_interval(hits_M - hits_RM[CHOICE], data.groups)),
        }
        for name, hits_M in rows.items()
    }


def _three(estimate: Any) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _show(figures: dict[str, Any]) -> None:
    def percent(of: tuple[float, float, float]) -> str:
        return f"{of[0]:.1%} [{of[1] * 100:.1f}, {of[2] * 100:.1f}]"

    def points(of: tuple[float, float, float]) -> str:
        return f"{of[0] * 100:+.1f} [{of[1] * 100:+.1f}, {of[2] * 100:+.1f}]"

    ordered = sorted(figures.items(), key=lambda item: -item[1]["accuracy"][0])
    rows = [(name, percent(of["accuracy"]), points(of["gain"])) for name, of in ordered]
    table(("recipe", "accuracy [95 %]", "points against vidfit's choice"), rows)


def _table() -> Table:
    """Return the clips with what the backbones see of them, from the cache or anew."""
    clips = [clip for clip in read_manifest(SURVEILLANCE).clips if clip.label]
    encoders = [accelerate(zoo.load(name)) for name in BACKBONES]
    store = FeatureStore(CACHE / "fights" / "features")
    return build_table(clips, encoders, store, Here(os.cpu_count() or 1), SILENT, steps=True)[0]


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=None, help="deals of recordings to folds; 3")
    parser.add_argument("--networks", nargs="*", default=None, choices=NETWORKS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.seeds = options.seeds or (1 if options.quick else 3)
    options.networks = options.networks or (NETWORKS[:1] if options.quick else NETWORKS)
    return options


if __name__ == "__main__":
    main()
