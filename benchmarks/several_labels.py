"""Several labels a picture, on recordings that were not learned from.

CamVid's 701 driving pictures of 4 recordings (Brostow, Fauqueur and Cipolla 2009): which of sign,
fence, car, pedestrian and bicyclist fill at least 0.3 % of the picture, by its mask. A picture is a
clip of one frame (a folder that holds one). Macro average precision of what `vidfit fit` does,
leaving whole recordings out; beside it the same work with pictures dealt to folds at random, where
neighbours in time stand on both sides, and the shares of the classes, which is chance.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import Cost, Floats, Indices, Truth
from vidfit.evaluate import score_classes
from vidfit.features import FeatureStore
from vidfit.fusion.linear import PENALTIES, answers_by_penalty
from vidfit.jobs.fit.run import methods_for
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.metrics import SEVERAL_MEASURES, score_all
from vidfit.progress import SILENT
from vidfit.selection import Rule, Terms, nested
from vidfit.study.figures import Held, constant_of
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_of

DATA = SURVEILLANCE.parent / "camvid"
CLASSES = {6: "sign", 7: "fence", 8: "car", 9: "pedestrian", 10: "bicyclist"}
LEAST_SHARE = 0.003
ENCODERS = ("efficientnet-lite0",)
BAR = 0.75
QUICK_PICTURES = 120
MEASURE = SEVERAL_MEASURES["map"]
HONEST, RANDOM, CHANCE = "recordings left out", "pictures at random", "class shares (chance)"

Figures = dict[str, Any]
Deal = Callable[[Truth, Sequence[str], int], Indices]


def main() -> None:
    options = _options()
    start = environment()
    whole = _table(options)
    folds = Folds(whole.classes, kind=whole.kind)
    constant_MK = constant_of(whole, MEASURE)
    none_MK = np.zeros(constant_MK.shape, np.bool_)
    found = {
        HONEST: _answers(whole, folds.by_recording),
        RANDOM: _answers(whole, folds.at_random),
        CHANCE: Held([np.exp(constant_MK)], [none_MK]),
    }
    figures = {name: _figures(whole, held) for name, held in found.items()}
    figures[CHANCE]["F1"] = {}
    figures[HONEST]["by penalty"] = _by_penalty(whole)
    _show(whole, figures)
    _finish(options, figures, start)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of tables and features")
    parser.add_argument("--backbone", action="append", help="encoder; may be repeated")
    return parser.parse_args()


def _table(options: argparse.Namespace) -> Table:
    """Return the pictures with their labels and vectors."""
    names = options.backbone or ENCODERS
    networks, absent = load_networks(tuple(names))
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    manifest = read_manifest(_list(options.cache / "several_labels"))
    clips = manifest.clips
    if options.quick:
        clips = tuple(clips[i] for i in np.linspace(0, len(clips) - 1, QUICK_PICTURES).astype(int))
    store = FeatureStore(options.cache / "features")
    whole, tally = build_table(clips, networks, store, Here(2), SILENT, task=task_of(manifest.kind))
    if tally.clips:
        raise SystemExit(f"unreadable pictures: {tally.clips}")
    print(f"{len(whole.clips)} pictures, {len(set(whole.groups))} recordings, {whole.kind.what}")
    return whole


def _list(folder: Path) -> Path:
    """Write the table of pictures with a column of 0 and 1 for each class, unless it is there."""
    path = folder / "pictures.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with (DATA / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        written = csv.writer(file)
        written.writerow(("path", "group", *CLASSES.values()))
        for row in rows:
            mask_HW = cv2.imread(str(DATA / row["mask"]), cv2.IMREAD_UNCHANGED)
            there = [int((mask_HW == k).mean() >= LEAST_SHARE) for k in CLASSES]
            written.writerow((_folder_of(folder, DATA / row["path"]), row["group"], *there))
    return path


def _folder_of(folder: Path, picture: Path) -> str:
    """Put a picture in a folder of its own, which is read as a clip of one frame."""
    own = folder / picture.stem
    own.mkdir(exist_ok=True)
    shutil.copyfile(picture, own / picture.name)
    return own.name


def _answers(whole: Table, deal: Deal) -> Held:
    """Return the answers of what is chosen anew in each fold, and which classes are said."""
    found = nested(whole.rows, deal, _terms(whole))
    return Held([whole.kind.stated(found.chosen_MK, 1.0)], [found.said_MK])


def _terms(whole: Table) -> Terms:
    # All take a moment: who is the best is to be found, not who is cheap.
    costs = {name: Cost(0.0, 0.01) for name in whole.vectors}
    return Terms(costs, methods_for(whole.task), Rule(cheapest=False), measure=MEASURE)


def _figures(whole: Table, held: Held) -> Figures:
    of = (held.mean_MK, whole.labels_M, whole.groups, whole.classes, held.said_MK)
    each = score_classes(*of)
    answers = held.seen_by(MEASURE, whole.kind)
    scored = score_all(MEASURE, whole.labels_M, answers, whole.groups)
    return {
        "macro AP": scored.interval(0),
        "AP": {one.label: one.average_precision.value for one in each},
        "F1": {one.label: one.f1.value for one in each},
        "by recording": _by_recording(whole, answers[0]),
    }


def _by_recording(whole: Table, answers_MK: Floats) -> dict[str, float]:
    """Return the macro AP within each recording: no threshold is shared between them."""
    groups, found = np.array(whole.groups), {}
    for name in np.unique(groups):
        own_M = groups == name
        one = score_all(
            MEASURE, whole.labels_M[own_M], [answers_MK[own_M]], [name] * int(own_M.sum())
        )
        found[str(name)] = float(one.figures_C[0])
    return found


def _by_penalty(whole: Table) -> dict[str, float]:
    """Return the macro AP of the first encoder with each penalty kept for all folds.

    The best of them is chosen by what it is scored on: what no choice of the penalty can beat.
    """
    fold_M = Folds(whole.classes, kind=whole.kind).by_recording(whole.labels_M, whole.groups, 0)
    vectors_MD = next(iter(whole.vectors.values()))
    found = {}
    for penalty in PENALTIES:
        (answers_MK,) = answers_by_penalty(
            [vectors_MD], whole.labels_M, fold_M, (penalty,), whole.kind
        )
        one = score_all(MEASURE, whole.labels_M, [answers_MK], whole.groups)
        found[f"{penalty:g}"] = float(one.figures_C[0])
    return found


def _show(whole: Table, figures: dict[str, Figures]) -> None:
    rows = [
        (name, f"{f['macro AP'].value:.3f}", *(f"{f['AP'][k]:.3f}" for k in whole.classes))
        for name, f in figures.items()
    ]
    table(("average precision", "macro", *whole.classes), rows)
    print()
    names = [name for name in figures if figures[name]["F1"]]
    rows = [(name, *(f"{figures[name]['F1'][k]:.3f}" for k in whole.classes)) for name in names]
    table(("F1 at thresholds by class", *whole.classes), rows)
    print()
    for name in names:
        by = figures[name]["by recording"]
        print(f"{name}, within: {', '.join(f'{g} {value:.3f}' for g, value in by.items())}")
    by = figures[HONEST]["by penalty"]
    print(f"one penalty for all folds: {', '.join(f'{c} {v:.3f}' for c, v in by.items())}")


def _finish(
    options: argparse.Namespace, figures: dict[str, Figures], start: dict[str, Any]
) -> None:
    honest, leaky, chance = (figures[name]["macro AP"] for name in (HONEST, RANDOM, CHANCE))
    plain = {
        name: {**f, "macro AP": [f["macro AP"].value, f["macro AP"].low, f["macro AP"].high]}
        for name, f in figures.items()
    }
    headline = (
        f"macro AP {honest.value:.3f} [{honest.low:.3f}, {honest.high:.3f}] on recordings left "
        f"out; pictures at random would claim {leaky.value:.3f}; chance {chance.value:.3f}"
    )
    met = None if options.quick else honest.value >= BAR  # a few pictures cannot tell
    finish(options, plain, start, f"{headline} (bar {BAR:.2f})", met=met)


if __name__ == "__main__":
    main()
