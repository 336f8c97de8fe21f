"""Boxes of objects: a packaged detector as it is, and scored again by a few labelled frames.

- `mot15`: pedestrians of two videos by NanoDet as it is: average precision, recall, time.
- `drone_ir`: infrared clips of drones, helicopters, airplanes and birds, split by scene. Of the
  detector's classes only airplane and bird have these names. With 20, 100 and 400 labelled frames
  its boxes are scored again; frames of other scenes alone are judged. Beside it: what a split of
  frames that is blind to scenes would have claimed, and whether boxes of the picture and of its
  mirror image are better together. On every second of the frames NanoDet's head is trained by the
  same labelled frames (`vidfit fit --task detect --train`), beside their boxes scored again.

Penalties, and whether the detector is better left as it is, are chosen again by folds of the
labelled frames.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE
from vidfit.backbones import load
from vidfit.backbones.package_weights import is_fetched
from vidfit.boxes import overlaps
from vidfit.contracts import Backbone, BackboneSpec, Clip, Cost, Floats, Frames, Indices
from vidfit.features import FeatureStore
from vidfit.labels.kind import Doubles
from vidfit.launch import Here
from vidfit.manifest import Manifest
from vidfit.metrics import Scored, score_all
from vidfit.metrics.boxes import AP, AP50, CLASS, EDGES, NOTHING, matched
from vidfit.progress import SILENT
from vidfit.runtime import accelerate
from vidfit.selection import Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.detect.learner import ScoredAgain
from vidfit.tasks.detect.reading import read_frames
from vidfit.tasks.detect.seen import SeenBoxes
from vidfit.tasks.detect.trained import open_training
from vidfit.testing import random_views

DATA = SURVEILLANCE.parent
FRAMES = (20, 100, 400)
DRAWS = 3
PARTS = ("mot15", "curve", "trained", "mirror")
SURE = 0.35
"""Score from which on a box is shown, for recall and false alarms."""

AS_IS = ScoredAgain(penalties=())
Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    if not is_fetched("nanodet"):
        raise SystemExit("run `vidfit models --fetch nanodet` first")
    detector = accelerate(load("nanodet"))
    figures: Figures = {"ms": _milliseconds(detector, 5 if options.quick else 30)}
    print(f"NanoDet: {figures['ms']:.0f} ms a frame, one thread, choice of boxes included")
    if "mot15" in options.parts:
        figures["mot15"] = _mot15(detector, options)
    headline, met = "drone_ir was not measured", True
    if drones := [part for part in options.parts if part != "mot15"]:
        figures["drone_ir"] = found = _drones(detector, options, drones)
        if "curve" in drones:
            headline, met = _headline(found)
    finish(options, figures, start, headline, met=met)


def _headline(found: Figures) -> tuple[str, bool]:
    last, gain = found["curve"][-1], found["gain"]
    return (
        f"drone_ir AP50 {100 * last['again'][0]:.1f} with {last['frames']} labelled frames, "
        f"{100 * found['as is'][0]:.1f} as it is, gain {_said(gain)} (bar: all above 0)"
    ), gain[1] > 0


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of features")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="these only")
    return parser.parse_args()


def _milliseconds(detector: Backbone, times: int) -> float:
    views = random_views(detector.spec, 1)
    detector.forward(views)
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        detector.forward(views)
        taken.append(time.perf_counter() - started)
    return 1e3 * float(np.median(taken))


# ---------------------------------------------------------------- pedestrians


def _mot15(detector: Backbone, options: argparse.Namespace) -> Figures:
    clips = [
        clip
        for name in ("PETS09-S2L1", "TUD-Campus")
        for clip in read_frames(DATA / "mot15" / name).clips[:: 20 if options.quick else 1]
    ]
    whole = _table(clips, [detector], options)
    answers_MK = AS_IS.tried(whole.vectors["nanodet"], whole.labels_M, np.zeros(len(clips), int))[0]
    found: Figures = {}
    rows = []
    for video in dict.fromkeys(whole.groups):
        of_M = np.array([group == video for group in whole.groups])
        figures = _of_video(whole.labels_M[of_M], answers_MK[of_M])
        found[Path(video).parent.name] = figures
        rows.append((Path(video).parent.name, str(int(of_M.sum())), *map(_percent, figures)))
    print()
    table(("mot15", "frames", "AP50:95", "AP50", f"recall at {SURE}", "precision"), rows)
    return found


def _of_video(truth: Doubles, answers_MK: Floats) -> tuple[float, float, float, float]:
    """Return AP50:95, AP50, and recall and precision of boxes that are shown."""
    ap, ap50 = (
        float(score_all(m, truth, [answers_MK], [""] * len(truth)).figures_C[0]) for m in (AP, AP50)
    )
    right = objects = shown = 0
    for frame, answer in zip(truth, answers_MK, strict=True):
        found = matched(frame, answer, (0.5,))
        sure_D = (found.score_D >= SURE) & ~found.skipped_TD[0]
        right += int((found.right_TD[0] & sure_D).sum())
        shown += int(sure_D.sum())
        objects += len(found.class_O)
    return ap, ap50, right / max(objects, 1), right / max(shown, 1)


# ---------------------------------------------------------------- what flies


def _drones(detector: Backbone, options: argparse.Namespace, parts: Sequence[str]) -> Figures:
    together = "mirror" in parts and not options.quick
    encoders = [detector, Mirrored(detector)] if together else [detector]
    whole = _table(_flying(options.quick).clips, encoders, options)
    print(f"\ndrone_ir: {len(whole.clips)} frames, {len(set(whole.groups))} scenes")
    found = _curve(whole, options) if "curve" in parts else {}
    if "trained" in parts and not options.quick:
        found["trained"] = _training(whole.where(np.arange(len(whole.clips)) % 2 == 0))
    if together:
        found["together"] = _together(whole)
    return found


def _curve(whole: Table, options: argparse.Namespace) -> Figures:
    """Return AP50 by number of labelled frames, and the leak of a split blind to scenes."""
    vectors_MD = whole.vectors["nanodet"]
    folds_M = Folds(whole.classes, kind=whole.kind).by_recording(whole.labels_M, whole.groups, 0)
    as_is_MK = AS_IS.tried(vectors_MD, whole.labels_M, folds_M)[0]
    found: Figures = {"classes": whole.classes, "as is": _interval(whole, [as_is_MK], 0)}
    found["as is by class"] = _by_class(whole, as_is_MK)
    found["within reach"] = _reach(whole, vectors_MD)
    found["curve"], answers = [], {}
    sizes = FRAMES[:2] if options.quick else FRAMES
    for frames in sizes:
        draws = [
            _few(whole, vectors_MD, folds_M, frames, draw)
            for draw in range(1 if options.quick else DRAWS)
        ]
        answers[frames] = draws
        found["curve"].append(
            {
                "frames": frames,
                "again": _interval(whole, draws, 0),
                "by class": np.mean([_by_class(whole, one) for one in draws], axis=0).tolist(),
            }
        )
    scored = _scored(whole, answers[sizes[-1]]).beside(_scored(whole, [as_is_MK]))
    lead = scored.lead(0, 1)
    found["gain"] = lead.value, lead.low, lead.high
    found["leak"] = _leak(whole, vectors_MD, sizes[-1])
    _show(found)
    return found


def _training(thin: Table) -> list[Figures]:
    """Return AP50 and AP50:95 of trained heads, by number of labelled frames, and the gain."""
    training = open_training(thin.clips, thin.labels_M, thin.classes, ["nanodet"])
    folds_M = Folds(thin.classes, kind=thin.kind).by_recording(thin.labels_M, thin.groups, 0)
    if training is None:
        raise SystemExit("NanoDet's head cannot be trained")
    found = []
    for frames in FRAMES:
        again_MK = _few(thin, thin.vectors["nanodet"], folds_M, frames, 0)
        head_MK, seconds = np.zeros_like(again_MK), []
        for fold in np.unique(folds_M):
            asked = np.flatnonzero(folds_M == fold)
            some = _drawn(np.flatnonzero(folds_M != fold), thin, frames, 0)
            started = time.process_time()
            learned = training.learned(some)
            seconds.append(time.process_time() - started)
            head_MK[asked] = training.answers(learned, asked)
        one: Figures = {"frames": frames, "seconds": seconds}
        rows = []
        for measure in (AP50, AP):
            scored = score_all(measure, thin.labels_M, [again_MK, head_MK], thin.groups)
            lead = scored.lead(1, 0)
            one[f"gain, {measure.name}"] = lead.value, lead.low, lead.high
            for i, name in enumerate(("scored again", "head trained")):
                interval = scored.interval(i)
                by_class = measure.by_class(scored.tables[i], np.ones((1, len(scored.clips_G))))[0]
                values = (interval.value, interval.low, interval.high)
                one[f"{name}, {measure.name}"] = [*values, *by_class.tolist()]
                rows.append((measure.name, name, *_row(values, by_class.tolist())))
        table((f"{frames} frames of {len(thin.clips)}", "", "all classes", "", *thin.classes), rows)
        print(f"gain of AP50 {_said(one['gain, ap50'])}, of AP50:95 {_said(one['gain, ap50-95'])}; "
              f"{np.median(seconds):.0f} CPU s a training")  # fmt: skip
        found.append(one)
    return found


def _reach(whole: Table, vectors_MD: Floats) -> list[float]:
    """Return the share of the objects of each class that any box overlaps by half."""
    boxes_MND = SeenBoxes.of(vectors_MD, 80).boxes_MND
    near: dict[int, list[bool]] = defaultdict(list)
    for rows_SX, boxes_ND in zip(whole.labels_M, boxes_MND, strict=True):
        real = rows_SX[rows_SX[:, CLASS] != NOTHING]
        over_NS = overlaps(boxes_ND[:, :4].astype(np.float64), real[:, EDGES])
        for row, most in zip(real, over_NS.max(axis=0), strict=True):
            near[int(row[CLASS])].append(bool(most >= 0.5))
    return [float(np.mean(near[k])) for k in range(len(whole.classes))]


def _few(whole: Table, vectors_MD: Floats, folds_M: Indices, frames: int, draw: int) -> Floats:
    """Answer each fold by some labelled frames of the others."""
    answers_MK = np.zeros((len(vectors_MD), whole.kind.width(())), np.float32)
    for fold in np.unique(folds_M):
        asked_M = folds_M == fold
        some = _drawn(np.flatnonzero(~asked_M), whole, frames, draw)
        truth, groups = whole.labels_M[some], [whole.groups[i] for i in some]
        inner_M = Folds(whole.classes, kind=whole.kind).to_choose(truth, groups, 0)
        head, _ = ScoredAgain().fit(vectors_MD[some], truth, inner_M)
        answers_MK[asked_M] = head.log_probabilities([vectors_MD[asked_M]])
    return answers_MK


def _drawn(among: Indices, whole: Table, frames: int, draw: int) -> Indices:
    """Return frames in turn of classes, and of scenes within a class: nobody labels one scene."""
    rng = np.random.default_rng(draw)
    queues: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i in rng.permutation(among):
        queues[int(whole.labels_M[i, 0, 0])][whole.groups[i]].append(int(i))
    turns = {k: _in_turn(list(of.values())) for k, of in queues.items()}
    return np.sort(np.array(_in_turn(list(turns.values()))[:frames]))


def _in_turn(lists: list[list[int]]) -> list[int]:
    longest = max(map(len, lists), default=0)
    return [of[i] for i in range(longest) for of in lists if i < len(of)]


def _leak(whole: Table, vectors_MD: Floats, frames: int) -> Figures:
    """Return AP50 where frames of one scene lie on both sides, and where they do not."""
    rng = np.random.default_rng(0)
    blind_M = rng.integers(0, 5, len(vectors_MD))
    return {"random split": _interval(whole, [_few(whole, vectors_MD, blind_M, frames, 0)], 0)}


def _together(whole: Table) -> Figures:
    """Return whether boxes of the picture and of its mirror image are better together."""
    terms = Terms(dict.fromkeys(whole.vectors, Cost(0.01, 0.01)), ("average",), measure=AP50)
    thin = whole.where(np.arange(len(whole.clips)) % 4 == 0)
    deal = Folds(thin.classes, kind=thin.kind).by_recording
    result = nested(thin.rows, deal, terms)
    if result.gain is None:
        raise SystemExit("nothing was weighed together")
    points = result.gain.points
    said = "kept" if result.gain.proven else "not proven, not kept"
    figures = points.value, points.low, points.high
    print(f"picture and mirror image weighed together, on {len(thin.clips)} frames: "
          f"{_said(figures)}, {said}")  # fmt: skip
    return {"gain": figures, "proven": result.gain.proven}


def _show(found: Figures) -> None:
    classes = found["classes"]
    rows = [("as it is", *_row(found["as is"], found["as is by class"]))]
    rows += [
        (f"{one['frames']} frames", *_row(one["again"], one["by class"])) for one in found["curve"]
    ]
    rows.append(("within reach", "", "", *map(_percent, found["within reach"])))
    table(("AP50", "all classes", "", *classes), rows)
    last = found["curve"][-1]
    print(f"{last['frames']} frames, split blind to scenes: AP50 "
          f"{100 * found['leak']['random split'][0]:.1f}, by scene {100 * last['again'][0]:.1f}; "
          f"gain over the detector as it is {_said(found['gain'])}")  # fmt: skip


def _row(estimate: tuple[float, float, float], by_class: list[float]) -> list[str]:
    value, low, high = (100 * x for x in estimate)
    return [f"{value:.1f}", f"[{low:.1f}, {high:.1f}]", *map(_percent, by_class)]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _said(estimate: tuple[float, float, float]) -> str:
    value, low, high = (100 * x for x in estimate)
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


# ---------------------------------------------------------------- frames and figures


def _flying(quick: bool) -> Manifest:
    """Return frames of the clips, a scene a recording; of few clips where it must be quick."""
    source = DATA / "drone_ir"
    with (source / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as folder:
        groups = Path(folder) / "groups.csv"
        lines = [f"{Path(row['path']).name},{row['scene']}" for row in rows]
        groups.write_text("path,group\n" + "\n".join(lines))
        manifest = read_frames(source / "boxes.csv", groups)
    return replace(manifest, clips=manifest.clips[:: 12 if quick else 2])


def _table(clips: list[Clip], encoders: list[Backbone], options: argparse.Namespace) -> Table:
    store = FeatureStore(options.cache / "features")
    return build_table(clips, encoders, store, Here(2), SILENT, task=task_named("detect"))[0]


def _scored(whole: Table, draws: list[Floats]) -> Scored:
    """Return AP50 by recording, averaged over draws."""
    from vidfit.metrics import averaged

    return averaged([score_all(AP50, whole.labels_M, [one], whole.groups) for one in draws])


def _interval(whole: Table, draws: list[Floats], which: int) -> tuple[float, float, float]:
    one = _scored(whole, draws).interval(which)
    return one.value, one.low, one.high


def _by_class(whole: Table, answers_MK: Floats) -> list[float]:
    scored = _scored(whole, [answers_MK])
    return AP50.by_class(scored.tables[0], np.ones((1, len(scored.clips_G))))[0].tolist()


@dataclass(frozen=True)
class Mirrored:
    """A detector that sees pictures from the back; its boxes are turned round again."""

    base: Any

    @property
    def spec(self) -> BackboneSpec:
        """Return the facts, under another name."""
        spec = self.base.spec
        return replace(spec, name=f"{spec.name}-mirrored", revision=f"{spec.revision[:32]}mirrored")

    @property
    def classes(self) -> tuple[str, ...]:
        """Return those of the detector."""
        return self.base.classes

    @property
    def candidates(self) -> Backbone:
        """Return its network."""
        return self.base.candidates

    def over(self, candidates: Backbone) -> Mirrored:
        """Return the same with its network on an engine."""
        return Mirrored(self.base.over(candidates))

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return boxes."""
        boxes_BND = self.base.forward(np.ascontiguousarray(frames_BTHWC[:, :, :, ::-1])).copy()
        there_BN = boxes_BND[:, :, 2] > 0
        left_BN, right_BN = boxes_BND[:, :, 0].copy(), boxes_BND[:, :, 2].copy()
        boxes_BND[:, :, 0] = np.where(there_BN, 1.0 - right_BN, 0.0)
        boxes_BND[:, :, 2] = np.where(there_BN, 1.0 - left_BN, 0.0)
        return boxes_BND

    def save(self, directory: Path) -> None:
        """Refuse."""
        raise NotImplementedError


if __name__ == "__main__":
    main()
