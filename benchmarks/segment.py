"""A class for each place of a picture: CamVid, on the field's split and with recordings apart.

- `field`: learned from the 367 training frames of SegNet's split, judged on its 233 test frames.
  The split cuts the recording 0001TP, half of which is in training: the leak is shown by leaving
  it out of training. Which encoder, or the average of both, is chosen on training recordings.
- `recordings apart`: all frames, every recording answered by what was learned and chosen without
  it; there it is decided whether two encoders are proven better than one.
- `labels`: how many labelled frames it takes.
- `peers`: scikit-learn's logistic regression and stochastic descent, on the same cells.
- `video`: flicker and time of a frame.
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks._harness import arguments, environment, finish, measure, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import Clip, Cost, Floats
from vidfit.features import FeatureStore
from vidfit.features.places import Places
from vidfit.jobs.predict.masks.flicker import FlickerCount
from vidfit.launch import Here
from vidfit.manifest import Manifest
from vidfit.metrics import score_all
from vidfit.metrics.areas import AREA_MEASURES, MeanIou, answer_of
from vidfit.progress import SILENT
from vidfit.selection import FUSION, Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.segment.kind import named
from vidfit.tasks.segment.learner import CellProbe, cells_of_pictures
from vidfit.tasks.segment.reading import as_named
from vidfit.tasks.segment.softmax import CellWeights, class_weights, fit_path
from vidfit.video import VideoReader

CAMVID = Path(__file__).parents[2] / "shared" / "data" / "camvid"
NAMES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian",
    "bicyclist", "void",
)  # fmt: skip
ENCODERS = ("efficientnet-lite0-places", "efficientnet-lite2-places")
BAR, PROTOTYPE, PRIOR = 0.56, 0.561, 0.171
CUT = "0001TP"
"""The recording that the field's split cuts."""

CURVE = (5, 10, 20, 50, 100)
PEER_CELLS = 20_000
PUBLISHED = "SegNet 46.4, FCN8 57.0, FC-DenseNet56 58.9, FC-DenseNet103 66.9"

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    whole = _whole(options)
    figures: Figures = {"frames": len(whole.clips)}
    figures["field"], chosen = _field(whole)
    figures["leak"] = _leak(whole)
    figures["labels"] = _labels(whole, (5, 20) if options.quick else CURVE)
    if not options.quick:
        figures["peers"] = _peers(whole)
        figures["apart"] = _apart(whole)
    figures["video"] = _video(whole)
    value = figures["field"][chosen]["miou"]
    leak = figures["leak"][CUT]
    headline = (
        f"camvid, the field's split: mIoU {100 * value:.1f} (bar {100 * BAR:.0f}) by {chosen}, "
        f"chosen on training recordings; {CUT} {100 * leak[0]:.1f}, and {100 * leak[1]:.1f} "
        "without its other half in training"
    )
    if not options.quick:
        headline += f"; recordings apart {100 * figures['apart']['chosen'][0]:.1f}"
    # A part of the frames, as in a quick run, says nothing of the bar.
    finish(options, figures, start, headline, met=None if options.quick else value >= BAR)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of features")
    return parser.parse_args()


def _whole(options: argparse.Namespace) -> Table:
    """Return the frames with what the encoders see of them."""
    with (CAMVID / "frames.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    clips = tuple(
        Clip(str(CAMVID / row["path"]), label=str(CAMVID / row["mask"]), group=row["group"],
             split=row["split"])
        for row in (rows[::8] if options.quick else rows)
    )  # fmt: skip
    manifest = Manifest(clips, kind=named(NAMES))
    task = as_named(task_named("segment"), manifest)
    if options.quick:
        task = replace(task, learner=replace(task.learner, cells=20_000, to_choose=5_000))
    encoders = ENCODERS[:1] if options.quick else ENCODERS
    networks, absent = load_networks(encoders)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    found: list[Table] = []
    cost = measure(
        lambda: found.append(build_table(clips, networks, store, Here(2), SILENT, task=task)[0])
    )
    print(f"{len(clips)} frames, {len(encoders)} encoders: {cost.cpu_seconds:.0f} CPU s to gather")
    return found[0]


def _learner(whole: Table) -> CellProbe:
    return cast(CellProbe, whole.task.learner)


def _rows(whole: Table, *, split: str, leave: str = "", only: str = "") -> Table:
    keep = [
        clip.split == split and clip.group != leave and (not only or clip.group == only)
        for clip in whole.clips
    ]
    return whole.where(np.array(keep))


def _folds(some: Table) -> Any:
    return np.unique(some.groups, return_inverse=True)[1]


def _miou(some: Table, answers: Any) -> float:
    return float(score_all(MeanIou(), some.labels_M, [answers], some.groups).figures_C[0])


# ------------------------------------------------------------------ the field's split


def _field(whole: Table) -> tuple[Figures, str]:
    train, test = _rows(whole, split="train"), _rows(whole, split="test")
    figures: Figures = {}
    teams = {name: (name,) for name in whole.vectors}
    if len(teams) > 1:
        teams["average of both"] = tuple(whole.vectors)
    for name, members in teams.items():
        blocks = [train.vectors[one] for one in members]
        fitted: list[Any] = []
        cost = measure(
            lambda blocks=blocks, fitted=fitted: fitted.append(
                _learner(whole).together(blocks, train.labels_M, _folds(train))
            )
        )
        head, out_MK = fitted[0]
        answers_MK = head.log_probabilities([test.vectors[one] for one in members])
        figures[name] = {
            "in folds": _miou(train, out_MK), "cpu seconds": cost.cpu_seconds,
            **{n: _figure(m, test, answers_MK) for n, m in AREA_MEASURES.items()},
        }  # fmt: skip
    known = train.kind.constant(train.labels_M, train.kind.width(NAMES), len(test.clips), "miou")
    figures["place prior"] = {n: _figure(m, test, known) for n, m in AREA_MEASURES.items()}
    print(f"\nfield's split: {len(train.clips)} frames to learn from, {len(test.clips)} to test")
    rows = [
        (name, _said(of.get("in folds")), *(_said(of[n]) for n in AREA_MEASURES),
         f"{of['cpu seconds']:.0f}" if "cpu seconds" in of else "-")
        for name, of in figures.items()
    ]  # fmt: skip
    table(("", "in folds", *AREA_MEASURES, "CPU s to fit"), rows)
    print(f"published, other ways to train: {PUBLISHED}; prototype {100 * PROTOTYPE:.1f}")
    return figures, max(teams, key=lambda name: figures[name]["in folds"])


def _figure(one: Any, some: Table, answers: Any) -> float:
    return float(score_all(one, some.labels_M, [answers], some.groups).figures_C[0])


def _said(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _leak(whole: Table) -> Figures:
    """Judge each test recording by what learned with and without the other half of one of them."""
    name = ENCODERS[0]
    figures: Figures = {}
    heads = []
    for leave in ("", CUT):
        train = _rows(whole, split="train", leave=leave)
        heads.append(_learner(whole).fit(train.vectors[name], train.labels_M, _folds(train))[0])
    for recording in sorted(set(_rows(whole, split="test").groups)):
        some = _rows(whole, split="test", only=recording)
        answers = [head.log_probabilities([some.vectors[name]]) for head in heads]
        figures[recording] = [_miou(some, one) for one in answers]
    print(f"\nthe field's split leaks: learned with {CUT} in training, and without ({name})")
    rows = [(name, *(_said(one) for one in pair)) for name, pair in figures.items()]
    table(("test recording", "with", "without"), rows)
    return figures


def _labels(whole: Table, counts: Sequence[int]) -> Figures:
    """Learn from a few frames, spread over the training frames."""
    name = ENCODERS[0]
    train, test = _rows(whole, split="train"), _rows(whole, split="test")
    figures: Figures = {}
    for count in counts:
        keep = np.zeros(len(train.clips), np.bool_)
        keep[np.linspace(0, len(keep) - 1, count).round().astype(int)] = True
        few = train.where(keep)
        # So few frames are folds of their own.
        folds = np.arange(len(few.clips)) % min(5, len(few.clips))
        head, _ = _learner(whole).fit(few.vectors[name], few.labels_M, folds)
        answers = head.log_probabilities([test.vectors[name]])
        figures[str(count)] = _miou(test, answers)
    print(f"\nlabelled frames ({name}):")
    table(("frames", "mIoU"), [(n, _said(value)) for n, value in figures.items()])
    return figures


# ------------------------------------------------------------------ peers


def _peers(whole: Table) -> Figures:
    """Fit the same cells, standardised alike, with the same weights, by others."""
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    name = ENCODERS[0]
    train, test = _rows(whole, split="train"), _rows(whole, split="test")
    cells = cells_of_pictures(train.vectors[name], train.labels_M, PEER_CELLS)
    weight_C, penalty = class_weights(cells.shares_SC), _learner(whole).penalties[1]
    x_SF, hard_S = cells.x_SX[:, :-1], cells.shares_SC.argmax(axis=1)
    weight_S = weight_C[hard_S]
    count = len(x_SF)
    peers = {
        "LogisticRegression": LogisticRegression(C=1 / (penalty * count), max_iter=100),
        "SGDClassifier": SGDClassifier("log_loss", alpha=penalty, max_iter=20, random_state=0),
    }
    figures: Figures = {}

    def own() -> None:
        targets_SC = cells.shares_SC * weight_C
        figures["weights"] = fit_path(cells.x_SX, targets_SC, (penalty,))[0]

    cost = measure(own)
    figures["vidfit"] = [_of_weights(cells, figures.pop("weights"), test, name), cost.cpu_seconds]
    for peer, model in peers.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # both stop at their limit of rounds
            cost = measure(lambda m=model: m.fit(x_SF, hard_S, sample_weight=weight_S))
        weights = CellWeights(model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))
        figures[peer] = [_of_weights(cells, weights, test, name), cost.cpu_seconds]
    print(f"\n{count} cells ({name}), the same penalty; peers take the largest share as the label")
    rows = [(n, _said(of[0]), f"{of[1]:.1f}") for n, of in figures.items()]
    table(("", "mIoU", "CPU s"), rows)
    return figures


def _of_weights(cells: Any, weights: CellWeights, test: Table, name: str) -> float:
    probe = cells.probe(weights)
    answers = [answer_of(probe.log_probabilities(Places.of(row_D))) for row_D in test.vectors[name]]
    return _miou(test, np.stack(answers))


# ------------------------------------------------------------------ recordings apart


def _apart(whole: Table) -> Figures:
    """Answer each recording by what was learned, and chosen, without it."""
    costs = dict.fromkeys(whole.vectors, Cost(0.01, 0.05))
    terms = Terms(costs, whole.task.methods, measure=MeanIou())
    deal = Folds(whole.classes, kind=whole.kind)
    held = nested(whole.rows, deal.by_recording, terms, inner_folds=deal.to_choose)
    answers: dict[str, Floats] = {n: held.answers_MK[n] for n in (*whole.vectors, FUSION)}
    answers["chosen"] = held.chosen_MK
    answers["place prior"] = _prior_apart(whole)
    scored = score_all(MeanIou(), whole.labels_M, list(answers.values()), whole.groups)
    figures: Figures = {}
    for i, name in enumerate(answers):
        one = scored.interval(i)
        figures[name] = (one.value, one.low, one.high)
    print(f"\nrecordings apart: {len(whole.clips)} frames, {len(set(whole.groups))} recordings")
    rows = [
        (n, f"{100 * v:.1f} [{100 * a:.1f}, {100 * b:.1f}]") for n, (v, a, b) in figures.items()
    ]
    table(("", "mIoU"), rows)
    if held.gain:
        points, verdict = held.gain.points, "proven" if held.gain.proven else "not proven"
        print(
            f"the average of both over {held.best_single}: {100 * points.value:+.1f} points "
            f"[{100 * points.low:+.1f}, {100 * points.high:+.1f}], {verdict}"
        )
        figures["gain of fusion"] = (points.value, points.low, points.high, held.gain.proven)
    return figures


def _prior_apart(whole: Table) -> Floats:
    """Return the place prior of the other recordings."""
    groups = np.array(whole.groups)
    found = np.empty((len(groups), whole.kind.columns(whole.labels_M)), np.float32)
    for group in np.unique(groups):
        known = whole.labels_M[groups != group]
        found[groups == group] = whole.kind.constant(known, 0, 1, "miou")
    return found


# ------------------------------------------------------------------ a video


def _video(whole: Table) -> Figures:
    """Answer the frames of one test recording in their order; time a frame by itself."""
    from vidfit.jobs.predict.masks.finder import MaskFinder
    from vidfit.runtime import accelerate
    from vidfit.study.candidates import load_candidates

    name = ENCODERS[0]
    train = _rows(whole, split="train", leave=CUT)
    some = _rows(whole, split="test", only=CUT)
    head, _ = _learner(whole).fit(train.vectors[name], train.labels_M, _folds(train))
    loaded, _ = load_candidates([name], some.clips[:1], download=False, progress=SILENT)
    finder = MaskFinder(NAMES, (accelerate(loaded[0].backbone),), head)
    flicker, truth, spent = FlickerCount(), FlickerCount(), 0.0
    for clip, mask in zip(some.clips, some.labels_M, strict=True):
        with VideoReader(clip.path) as reader:
            frame = next(iter(reader.frames([0])))
            picture = frame.rgb(None)
            began = time.process_time()
            labels = finder.labels(frame, picture)
            spent += time.process_time() - began
        flicker.add(picture, labels)
        truth.add(picture, mask.labels())
    figures = {
        "ms a frame": 1e3 * spent / len(some.clips),
        "flicker": flicker.share, "flicker of the truth": truth.share,
    }  # fmt: skip
    print(
        f"\n{len(some.clips)} frames of {CUT} in their order: {figures['ms a frame']:.0f} CPU ms a "
        f"frame at 480x360; labels flip in {_said(flicker.share)} % of the pixels that are "
        f"followed, those of the truth in {_said(truth.share)} %"
    )
    return figures


if __name__ == "__main__":
    main()
