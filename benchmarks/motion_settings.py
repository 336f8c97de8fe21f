"""What the motion statistics score on the surveillance clips with their settings chosen inside.

Gap, views and size of the motion statistics were chosen while looking at these clips, so that
their score there is flattered. Here each fold's training side chooses among settings that were
considered, and answers the recordings that it has not seen.

Shape letters: M clips, D features of a vector, K classes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE
from vidfit.backbones.motion import motion
from vidfit.backbones.notation import with_spec
from vidfit.contracts import Backbone, Floats
from vidfit.features import FeatureStore
from vidfit.fusion.linear import cross_fit
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.metrics import ACCURACY, share_interval
from vidfit.progress import SILENT
from vidfit.selection import hits, merit
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table

GAPS_SECONDS = (1 / 15, 2 / 15, 4 / 15)
VIEWS = (4, 8)
SIZES = ((64, 112), (96, 160))
"""Height and width in pixels."""
AS_SHIPPED = "0.133 s, 8 views, 96x160"


def main() -> None:
    options = _options()
    start = environment()
    if not SURVEILLANCE.is_dir():
        raise SystemExit(f"{SURVEILLANCE} is missing; give the surveillance clips")
    clips = [c for c in read_manifest(SURVEILLANCE).clips if c.label is not None]
    clips = clips[:: 5 if options.quick else 1]
    named = {_name(one): one for one in _variants()}
    data, _ = build_table(
        clips, list(named.values()), FeatureStore(CACHE / "features"), Here(2), SILENT
    )
    vectors = {name: data.vectors[one.spec.name] for name, one in named.items()}
    runs = [_run(vectors, data, seed) for seed in range(options.seeds)]
    table(
        ("deal of folds", "as shipped", "chosen inside", "95 %", "chosen most"),
        [_row(seed, run) for seed, run in enumerate(runs)],
    )
    shipped = float(np.mean([run["as shipped"] for run in runs]))
    inside = float(np.mean([run["chosen inside"] for run in runs]))
    said = ", ".join(f"{run['chosen inside']:.1%}" for run in runs)
    headline = (
        f"settings chosen inside each fold: {inside:.1%} ({said}); as shipped {shipped:.1%} on "
        f"the same folds of {len(data.clips)} clips"
    )
    finish(options, {"runs": runs}, start, headline, met=None)


def _variants() -> list[Backbone]:
    plain = motion()
    found = []
    for gap, views, (height, width) in product(GAPS_SECONDS, VIEWS, SIZES):
        spec = replace(
            plain.spec,
            name=f"motion-{gap:.3f}-{views}-{height}",
            sampling=replace(plain.spec.sampling, interval_seconds=gap, num_clips=views),
            preprocessing=replace(
                plain.spec.preprocessing, height_pixels=height, width_pixels=width
            ),
        )
        found.append(with_spec(plain, spec))
    return found


def _name(one: Backbone) -> str:
    sampling, size = one.spec.sampling, one.spec.preprocessing
    shape = f"{size.height_pixels}x{size.width_pixels}"
    return f"{sampling.interval_seconds:.3f} s, {sampling.num_clips} views, {shape}"


def _run(vectors: Mapping[str, Floats], data: Table, seed: int) -> dict[str, Any]:
    """Answer all clips with the settings that each fold's training side chooses, and as shipped."""
    folds, labels_M, groups = Folds(data.classes), data.labels_M, np.array(data.groups)
    fold_M = folds.by_recording(labels_M, list(groups), seed)
    answers = {
        key: np.zeros((len(labels_M), len(data.classes))) for key in ("chosen inside", "as shipped")
    }
    chosen = []
    for fold in np.unique(fold_M):
        train_M, test_M = fold_M != fold, fold_M == fold
        inner_M = folds.to_choose(labels_M[train_M], list(groups[train_M]), seed)
        fits = {
            name: cross_fit([vectors_MD[train_M]], labels_M[train_M], inner_M)
            for name, vectors_MD in vectors.items()
        }
        best = max(fits, key=lambda name: merit(ACCURACY, labels_M[train_M], fits[name][1]))
        chosen.append(best)
        for key, name in (("chosen inside", best), ("as shipped", AS_SHIPPED)):
            answers[key][test_M] = fits[name][0].log_probabilities([vectors[name][test_M]])
    right = {key: hits(answers_MK, labels_M) for key, answers_MK in answers.items()}
    interval = share_interval(right["chosen inside"], list(groups))
    return {
        **{key: float(hits_M.mean()) for key, hits_M in right.items()},
        "interval": [interval.low, interval.high],
        "chosen": dict(Counter(chosen)),
    }


def _row(seed: int, run: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = run["interval"]
    chosen = max(run["chosen"], key=lambda name: run["chosen"][name])
    return (
        str(seed), f"{run['as shipped']:.1%}", f"{run['chosen inside']:.1%}",
        f"[{low:.1%}, {high:.1%}]", chosen,
    )  # fmt: skip


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="deals of clips to folds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
