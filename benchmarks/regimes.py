"""What clips without a label add where labels are few, and whether what adds nothing is rejected.

Surveillance clips (fight or no fight); each seed puts other recordings aside, and of the rest
keeps 2, 5 or 10 labels a class. All ways of a row learn from the same labels, with as many steps.

- ``probe``: a linear probe on the frozen backbone's statistics;
- ``attention``, ``transformer``: heads on its tokens, from the labels alone;
- ``... semi``: the same with the other clips, by an averaged teacher (`vidfit.training.semi`);
- ``video``: a small transformer on 8 frames of 64 x 64, from scratch, on 10 labels or on all;
- ``video semi``: the same with the other clips, pairs mixed by tubes;
- ``video masked``: its trunk first learned to predict hidden parts of all clips, no labels.

The rule of rejection sees one half of the recordings put aside, and is judged on the other.

Shape letters: M clips, N tokens, D features, S seeds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from benchmarks._tasks import build as build_task
from vidfit import networks
from vidfit.contracts import Clip, Floats, Indices, Preprocessing, Sampling
from vidfit.features import FeatureStore, temporal_statistics
from vidfit.jobs.clipsets import frame_set, tokens_of
from vidfit.jobs.subject import Sight
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.metrics import mean_interval
from vidfit.networks import Shape
from vidfit.networks.masked import MaskedVideo
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject
from vidfit.selection.active import Pool, probe_answers
from vidfit.training.clipset import UNLABELLED, ClipSet
from vidfit.training.loop import train
from vidfit.training.parallel import launch
from vidfit.training.pretrain import load_trunk, pretrain
from vidfit.training.semi import Semi, judge, with_labels_at_least
from vidfit.training.state import Run

BACKBONE = "efficientnet-lite0@8"
SIDE_PIXELS, FRAME_COUNT = 64, 8
PUT_ASIDE = 0.4
LABELS = (2, 5, 10)
HEADS = ("attention", "transformer")
BATCH_CLIPS = 32
THRESHOLD = 0.9

TOKENS = Recipe(epochs=12, learning_rate=1e-3, mixup=0.4, ema=0.98)
VIDEO = Recipe(epochs=10, learning_rate=1e-3, mixup=0.4, ema=0.98)
MASKED = Recipe(epochs=40, learning_rate=2e-3, weight_decay=0.05)
NOTHING = np.zeros(0, np.int64)
PLACE = Machine("here", "cpu", 1, 2**33, {"fp32": 1e11}, 1e10, 2)


@dataclass(frozen=True)
class Seen:
    """All clips with their true labels, as each way sees them."""

    labels_M: Indices
    groups: tuple[str, ...]
    tokens_MND: Floats
    statistics_MD: Floats
    frames: Any

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels_M.max()) + 1


@dataclass(frozen=True)
class Split:
    """Clips to learn from, of which some have a label; and those of recordings put aside."""

    learn_M: Indices
    test_M: Indices
    known_M: Indices
    seed: int

    @property
    def labelled_M(self) -> Indices:  # noqa: N802
        """Rows with a label."""
        return np.flatnonzero(self.known_M != UNLABELLED)

    @property
    def taught_M(self) -> Indices:  # noqa: N802
        """All rows to learn from, half of them with a label."""
        return with_labels_at_least(self.known_M, self.learn_M)

    @property
    def repeated_M(self) -> Indices:  # noqa: N802
        """About as many rows, all with a label."""
        return np.resize(self.labelled_M, 2 * len(self.learn_M))


def main() -> None:
    options = _options()
    start, began = environment(), time.monotonic()
    seen = load()
    print(f"{len(seen.groups)} clips, {len(set(seen.groups))} recordings, {options.seeds} seeds")
    with ProcessPoolExecutor(2) as workers:
        runs = list(workers.map(partial(_run, seen), range(options.seeds)))
    figures = _figures(seen, runs)
    _show(figures)
    minutes = (time.monotonic() - began) / 60
    print(f"{minutes:.1f} min")
    claims = [f"{n} {_points(f['gain'])}" for n, f in figures["gains"].items() if f["kept"]]
    headline = (
        f"gain from clips without a label kept for {'; '.join(claims) or 'nothing'} of "
        f"{len(figures['gains'])}; the rule by single seeds costs "
        f"{_points(figures['rule']['lost to keeping none'])} points against keeping none "
        "(bar: not proven below zero)"
    )
    met = figures["rule"]["lost to keeping none"][2] >= 0
    finish(options, {**figures, "minutes": minutes}, start, headline, met=met)


def load() -> Seen:
    """Extract tokens and frames of the clips, or read what is kept."""
    clips = list(read_manifest(build_task("fights", CACHE / "fights")).clips)
    (backbone,), absent = load_networks((BACKBONE,))
    if absent:
        raise SystemExit(f"networks that do not run here: {absent}")
    tokens = tokens_of(clips, backbone, FeatureStore(CACHE / "features"), Here(2), None)
    size = Preprocessing(SIDE_PIXELS, SIDE_PIXELS, short_side_pixels=SIDE_PIXELS)
    look = Sight(Sampling(FRAME_COUNT, 1), size, FRAME_COUNT, 0, True)
    done = frame_set(clips, look, CACHE / "frames", Here(2), None)
    if done.failures or len(tokens) < len(clips):
        raise SystemExit(f"unreadable clips: {done.failures}")
    frames = done.set.arrays["frames"][np.arange(len(clips))]
    return Seen(
        done.set.labels_M,
        tuple(_recording(clip) for clip in clips),
        np.stack([tokens[clip] for clip in clips]),
        np.stack([temporal_statistics(tokens[clip]) for clip in clips]),
        frames,
    )


def _recording(clip: Clip) -> str:
    return str(clip.group or clip.path)


def _run(seen: Seen, seed: int) -> dict[str, Any]:
    """Return hits on the clips put aside, by way and labels a class."""
    torch.set_num_threads(1)
    learn_M, test_M = _put_aside(seen, seed)
    hits: dict[str, list[float]] = {}
    for each in LABELS:
        split = Split(learn_M, test_M, _known(seen, learn_M, each, seed), seed)
        hits |= {f"{way}, {each}": h for way, h in _on_tokens(seen, split).items()}
    hits |= _on_frames(seen, Split(learn_M, test_M, _known(seen, learn_M, LABELS[-1], seed), seed))
    losses = hits.pop("masked loss")
    print(f"  seed {seed}: what is hidden costs {losses[0]:.3f}, then {losses[1]:.3f}", flush=True)
    return {"hits": hits, "test": [int(row) for row in test_M], "masked loss": losses}


def _put_aside(seen: Seen, seed: int) -> tuple[Indices, Indices]:
    """Return rows to learn from and rows of recordings put aside."""
    rng = np.random.default_rng(seed)
    names = sorted(set(seen.groups))
    aside = set(rng.choice(names, round(PUT_ASIDE * len(names)), replace=False))
    test_M = np.array([group in aside for group in seen.groups])
    return np.flatnonzero(~test_M), np.flatnonzero(test_M)


def _known(seen: Seen, learn_M: Indices, each: int, seed: int) -> Indices:
    """Return labels of so many clips of each class, from the same draws for more of them."""
    known_M = np.full(len(seen.labels_M), UNLABELLED)
    order = np.random.default_rng((seed, 1)).permutation(learn_M)
    for label in range(seen.classes):
        rows = order[seen.labels_M[order] == label][:each]
        known_M[rows] = label
    return known_M


def _on_tokens(seen: Seen, split: Split) -> dict[str, list[float]]:
    names = tuple(str(k) for k in range(seen.classes))
    pool = Pool([seen.statistics_MD], split.known_M, seen.groups, names)
    found = {"probe": _hits(seen, split, probe_answers(pool, seed=split.seed))}
    of_all = seen.tokens_MND[split.learn_M]
    standard = (seen.tokens_MND - of_all.mean((0, 1))) / (of_all.std((0, 1)) + 1e-6)
    clips = ClipSet(split.known_M, {"tokens": standard.astype(np.float32)})
    shape = Shape(standard.shape[2], standard.shape[1], seen.classes, width=64, dropout=0.2)
    for name in HEADS:
        for way, rows, semi in _both(name, split):
            network = _fresh(name, shape, split.seed)
            _learn(network, clips, rows, replace(TOKENS, seed=split.seed), semi)
            found[way] = _hits(seen, split, _answers(network, clips))
    return found


def _on_frames(seen: Seen, few: Split) -> dict[str, list[float]]:
    shape = Shape(0, FRAME_COUNT, seen.classes, width=64, layers=2, heads=4)
    every_M = np.where(np.isin(np.arange(len(few.known_M)), few.learn_M), seen.labels_M, UNLABELLED)
    full = Split(few.learn_M, few.test_M, every_M, few.seed)
    torch.manual_seed(few.seed)
    masked = MaskedVideo(shape)
    clips = ClipSet(np.full(len(every_M), UNLABELLED), {"frames": seen.frames})
    recipe = replace(MASKED, seed=few.seed)
    plan, place = _plan(recipe), launch(Layout(), "cpu")
    history = pretrain(masked, plan, Run(clips, few.learn_M, NOTHING), place).history
    found: dict[str, list[float]] = {"masked loss": [history[0].loss, history[-1].loss]}
    for split, amount in ((few, str(LABELS[-1])), (full, "all")):
        clips = ClipSet(split.known_M, {"frames": seen.frames})
        ways = _both("video", split) if split is few else [("video", split.repeated_M, None)]
        for way, rows, semi in [*ways, ("video masked", split.repeated_M, None)]:
            network = _fresh("video-text", shape, few.seed)
            if way == "video masked":
                load_trunk(network, masked)
            _learn(network, clips, rows, replace(VIDEO, seed=few.seed), semi)
            found[f"{way}, {amount}"] = _hits(seen, split, _answers(network, clips))
    return found


def _both(name: str, split: Split) -> list[tuple[str, Indices, Semi | None]]:
    semi = Semi(threshold=THRESHOLD)
    return [(name, split.repeated_M, None), (f"{name} semi", split.taught_M, semi)]


def _fresh(name: str, shape: Shape, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return networks.build(name, shape)


def _learn(
    network: nn.Module, clips: ClipSet, rows: Indices, recipe: Recipe, semi: Semi | None
) -> None:
    plan = _plan(recipe)
    done = train(network, plan, Run(clips, rows, NOTHING, teach=semi), launch(plan.layout, "cpu"))
    network.load_state_dict(dict(done.weights))


def _plan(recipe: Recipe) -> Plan:
    layout, data = Layout(micro_batch=BATCH_CLIPS), Data(1, 2, 1, 1)
    nothing = Prediction(0, 0.0, 0.0, 0.0)
    return Plan(Subject("video-text", ""), layout, recipe, nothing, data, PLACE)


@torch.no_grad()
def _answers(network: nn.Module, clips: ClipSet) -> Floats:
    network.eval()
    rows = np.array_split(np.arange(len(clips.labels_M)), 10)
    return np.concatenate([network(clips.read(part)).numpy() for part in rows])


def _hits(seen: Seen, split: Split, answers_MK: Floats) -> list[float]:
    answers = answers_MK[split.test_M].argmax(axis=1)
    return [float(hit) for hit in answers == seen.labels_M[split.test_M]]


def _figures(seen: Seen, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    groups = [seen.groups[row] for run in runs for row in run["test"]]
    flat = {way: np.concatenate([r["hits"][way] for r in runs]) for way in runs[0]["hits"]}
    gains, decisions = {}, []
    for way, base in _pairs(flat):
        gain = mean_interval(flat[way] - flat[base], groups)
        gains[way] = {"gain": _list(gain), "kept": judge(gain).kept, "why": judge(gain).reason}
        if " semi" in way:
            ruled = [_ruled(seen, run, way, base, seed) for seed, run in enumerate(runs)]
            gains[way]["seeds kept"] = sum(kept for kept, _ in ruled)
            decisions += [(seed, kept * lost) for seed, (kept, lost) in enumerate(ruled)]
    lost = mean_interval([value for _, value in decisions], [str(seed) for seed, _ in decisions])
    accuracy = {way: _list(mean_interval(hits, groups)) for way, hits in flat.items()}
    return {
        "seeds": len(runs),
        "accuracy": accuracy,
        "gains": gains,
        "masked loss": np.mean([r["masked loss"] for r in runs], axis=0).tolist(),
        "rule": {"decisions": len(decisions), "lost to keeping none": _list(lost)},
    }


def _pairs(ways: Any) -> list[tuple[str, str]]:
    """Return each way that uses clips without a label, and the same from labels alone."""
    marks = (" semi", " masked")
    return [(way, way.replace(mark, "")) for way in ways for mark in marks if mark in way]


def _ruled(seen: Seen, run: dict[str, Any], way: str, base: str, seed: int) -> tuple[bool, float]:
    """Return what the rule says by one half of a seed's recordings, and the gain on the other."""
    groups = np.array([seen.groups[row] for row in run["test"]])
    names = np.random.default_rng((seed, 2)).permutation(np.unique(groups))
    judged_M = np.isin(groups, names[: len(names) // 2])
    gain_M = np.array(run["hits"][way]) - np.array(run["hits"][base])
    gain = mean_interval(gain_M[judged_M], [str(g) for g in groups[judged_M]])
    return judge(gain).kept, float(gain_M[~judged_M].mean())


def _list(estimate: Any) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _show(figures: dict[str, Any]) -> None:
    rows = []
    for way, (value, low, high) in figures["accuracy"].items():
        gain = figures["gains"].get(way)
        told = _points(gain["gain"]) if gain else ""
        verdict = "" if not gain else "kept" if gain["kept"] else "rejected"
        of_seeds = f"{gain['seeds kept']}" if gain and "seeds kept" in gain else ""
        accuracy = f"{value:.1%}", f"[{low:.1%}, {high:.1%}]"
        rows.append((way, *accuracy, told, verdict, of_seeds))
    heads = ("way, labels a class", "accuracy", "95 %", "gain, points", "rule", "seeds kept")
    table(heads, rows)
    rule = figures["rule"]
    print(
        f"{rule['decisions']} decisions of single seeds, by half of their recordings: on the "
        f"other half {_points(rule['lost to keeping none'])} points against keeping none"
    )


def _points(estimate: Sequence[float]) -> str:
    value, low, high = (100 * number for number in estimate)
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=None, help="6, or 2 with --quick")
    options = parser.parse_args()
    options.seeds = options.seeds or (2 if options.quick else 6)
    return options


if __name__ == "__main__":
    main()
