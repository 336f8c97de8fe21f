"""What is unusual in videos of unseen recordings, learned from normal recordings only.

- `ucsd_ped2`: 16 normal clips and 5 test clips with bicycles, carts and skaters among people on
  foot. Encoders through the task's own folds; then, on one split of the normal clips, networks that
  predict or redraw frames, with and without noise on all that is answered.
- `fights as novelties`: surveillance clips, learned from those without a fight.

Areas are of raw scores. Published figures of UCSD Ped2 are of 12 test clips at full length, most
of them by scores that are scaled within each video: they are a mark, not a match.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._anomaly_networks import networks_compared
from benchmarks._anomaly_smoothed import smoothing_compared
from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._ped2 import (
    PED2,
    Figure,
    cells_of_masks,
    estimate_of,
    flags_of_frames,
    shown,
    signed,
)
from benchmarks._study import CACHE, load_networks
from vidfit.backbones.speed_grid import COLUMNS, ROWS
from vidfit.contracts import Cost, Floats
from vidfit.features import FeatureStore
from vidfit.fitted import SaysWhere
from vidfit.launch import Here
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import score_all
from vidfit.metrics.segments import CLASS
from vidfit.metrics.unusual import NORMAL, MicroAuc
from vidfit.progress import SILENT
from vidfit.selection import Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.anomaly.kind import NORMAL_LABEL
from vidfit.tasks.anomaly.reading import read_recordings_of
from vidfit.video import probe

BAR, FIGHT_BAR = 0.90, 0.727
PUBLISHED = "future frame 95.4, FUVAS .914, HF2-VAD 99.3, attribute kNN 99.1"

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    figures: Figures = {"ped2": _ped2(options)}
    if not options.quick:
        figures["networks"] = networks_compared(options.steps)
        figures["fights"] = _fights(options)
    chosen = figures["ped2"]["test clips, frames"]
    headline = (
        f"ucsd_ped2: micro AUC {chosen[0]:.3f} [{chosen[1]:.3f}, {chosen[2]:.3f}] of the frames of "
        f"test clips (bar {BAR})"
    )
    if not options.quick:
        gain = figures["fights"]["gain over motion"]
        said = "beats" if gain[1] > 0 else "does not beat"
        headline += (
            f"; fights: {figures['fights']['chosen'][0]:.3f} {said} the mean of the motion numbers"
        )
    # A third of the normal clips, as in a quick run, says nothing of the bar.
    finish(options, figures, start, headline, met=None if options.quick else chosen[0] >= BAR)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of features")
    parser.add_argument("--smoothed", action="store_true", help="smooth scores over time, too")
    parser.add_argument("--steps", type=int, default=300, help="training steps of a network")
    return parser.parse_args()


# ------------------------------------------------------------------ encoders, in folds


def _ped2(options: argparse.Namespace) -> Figures:
    task = task_named("anomaly")
    manifest = read_recordings_of(PED2)
    encoders = task.backbones
    if options.quick:
        encoders = encoders[:1]
        normal = sorted({c.path for c in manifest.clips if c.label == NORMAL_LABEL})
        kept = {*normal[::3], *(c.path for c in manifest.clips if c.label != NORMAL_LABEL)}
        manifest = replace(manifest, clips=tuple(c for c in manifest.clips if c.path in kept))
    whole = _table(manifest, encoders, options)
    found = _answers(whole)
    tests_M = whole.labels_M[:, NORMAL] == 0
    figures: Figures = {}
    rows = []
    for name, answers_M1 in found.items():
        scored = score_all(MicroAuc(), whole.labels_M, [answers_M1], whole.groups)
        frames = _frame_auc(whole, answers_M1, tests_M)
        figures[name] = {"all windows": estimate_of(scored, 0), "test clips, frames": frames}
        rows.append((name, shown(estimate_of(scored, 0)), shown(frames)))
    print(f"\nucsd_ped2: {len(whole.clips)} windows, {len(set(whole.groups))} recordings")
    table(("out of fold", "micro AUC, all", "frames of test clips"), rows)
    print(f"published, frames of 12 test clips: {PUBLISHED}")
    figures["test clips, frames"] = figures["chosen"]["test clips, frames"]
    if "Fisher" in found:
        gain = _gain(whole, found["Fisher"], found[_best(whole, found, encoders)])
        print(f"Fisher of all against the best single one: {signed(gain)}")
        figures["gain of Fisher"] = gain
    figures["measures"] = _measures(whole, found["chosen"])
    figures["pointed"] = _pointed(whole)
    if options.smoothed:

        def frame_auc(answers_M1: Floats) -> Figure:
            return _frame_auc(whole, answers_M1, tests_M)

        figures["smoothed"] = smoothing_compared(whole, "speed-grid", frame_auc)
    return figures


def _answers(whole: Table) -> dict[str, Floats]:
    """Return what each encoder answers out of fold, what is chosen, and all together."""
    costs = dict.fromkeys(whole.vectors, Cost(0.01, 0.01))
    deal = Folds(whole.classes, kind=whole.kind)
    terms = Terms(costs, (), measure=MicroAuc())
    held = nested(whole.rows, deal.by_recording, terms, inner_folds=deal.to_choose)
    found = {name: held.answers_MK[name] for name in whole.vectors}
    found["chosen"] = held.chosen_MK
    if len(whole.vectors) > 1:
        found["Fisher"] = np.sum([found[name] for name in whole.vectors], axis=0)
    return found


def _best(whole: Table, found: Mapping[str, Floats], names: Sequence[str]) -> str:
    answers = [found[name] for name in names]
    scored = score_all(MicroAuc(), whole.labels_M, answers, whole.groups)
    return names[int(scored.figures_C.argmax())]


def _measures(whole: Table, answers_M1: Floats) -> Figures:
    """Print all measures of what is chosen."""
    rows, figures = [], {}
    for name, measure in whole.task.measures.items():
        scored = score_all(measure, whole.labels_M, [answers_M1], whole.groups)
        figures[name] = estimate_of(scored, 0)
        rows.append((name, shown(figures[name])))
    table(("chosen", "out of fold"), rows)
    return figures


def _frame_auc(whole: Table, answers_M1: Floats, among_M: Any) -> Figure:
    """Return the area over frames, each with the score of its window, drawn by recording."""
    flags = flags_of_frames()
    truth, answers, groups = [], [], []
    for m in np.flatnonzero(among_M):
        clip = whole.clips[m]
        flags_F = flags[Path(clip.path).stem]
        rate = len(flags_F) / probe(clip.path).duration_seconds
        first, after = (round(rate * s) for s in (clip.start_seconds, clip.end_seconds or 0))
        row = np.zeros(NORMAL + 1)
        for flag in flags_F[first:after]:
            row[CLASS] = flag
            truth.append(row.copy())
            answers.append(answers_M1[m])
            groups.append(clip.recording)
    return estimate_of(score_all(MicroAuc(), np.array(truth), [np.array(answers)], groups), 0)


def _pointed(whole: Table) -> Figures:
    """Print how often the strangest place of an alarm in an event lies on the labelled object.

    The model is that of all normal clips. A place lies on the object where they share a pixel in
    one of the window's frames; by chance it would as often as places do.
    """
    vectors_MD = whole.vectors["speed-grid"]
    folds_M = Folds(whole.classes, kind=whole.kind).by_recording(whole.labels_M, whole.groups, 0)
    head, _ = whole.task.learner.fit(vectors_MD, whole.labels_M, folds_M)
    if not isinstance(head, SaysWhere):
        raise TypeError(f"{type(head).__name__} does not say where")
    hits, chances = [], []
    for m in np.flatnonzero(whole.labels_M[:, NORMAL] == 0):
        clip, heat_D = whole.clips[m], head.heat([vectors_MD[m : m + 1]])
        object_D = cells_of_masks(clip, (ROWS, COLUMNS)).reshape(-1)
        if heat_D is not None and object_D.any():
            hits.append(bool(object_D[heat_D.argmax()]))
            chances.append(float(object_D.mean()))
    print(
        f"the strangest place lies on the object in {np.mean(hits):.1%} of {len(hits)} alarms in "
        f"events ({np.mean(chances):.1%} by chance)"
    )
    return {"hits": float(np.mean(hits)), "chance": float(np.mean(chances)), "alarms": len(hits)}


# ------------------------------------------------------------------ fights


def _fights(options: argparse.Namespace) -> Figures:
    """Learn from clips without a fight; each is its own window."""
    manifest = read_manifest(SURVEILLANCE)
    clips = tuple(
        replace(
            clip,
            label=NORMAL_LABEL
            if clip.label != "fight"
            else f"unusual 0 {probe(clip.path).duration_seconds:.3f}",
        )
        for clip in manifest.clips
    )
    whole = _table(replace(manifest, clips=clips), ("motion", "efficientnet-lite0"), options)
    found = _answers(whole)
    motion_MD = whole.vectors["motion"]
    scale_D = np.maximum(motion_MD.std(axis=0), 1e-6)
    found["mean of the motion numbers"] = ((motion_MD - motion_MD.mean(axis=0)) / scale_D).mean(
        axis=1, keepdims=True
    )
    names = list(found)
    scored = score_all(MicroAuc(), whole.labels_M, [found[name] for name in names], whole.groups)
    figures: Figures = {name: estimate_of(scored, i) for i, name in enumerate(names)}
    print(f"\nfights as novelties: {len(clips)} clips, {len(set(whole.groups))} recordings")
    table(("out of fold", "AUC"), [(name, shown(figures[name])) for name in names])
    gain = _gain(whole, found["chosen"], found["mean of the motion numbers"])
    print(f"chosen over the mean of the motion numbers (bar {FIGHT_BAR}): {signed(gain)}")
    best = _best(whole, found, tuple(whole.vectors))
    fused = _gain(whole, found["Fisher"], found[best])
    print(f"Fisher over {best}: {signed(fused)}")
    return {**figures, "gain over motion": gain, "gain of Fisher": fused}


def _table(manifest: Manifest, encoders: Sequence[str], options: argparse.Namespace) -> Table:
    networks, absent = load_networks(encoders)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    task = task_named("anomaly")
    return build_table(manifest.clips, networks, store, Here(2), SILENT, task=task)[0]


def _gain(whole: Table, first: Floats, second: Floats) -> Figure:
    lead = score_all(MicroAuc(), whole.labels_M, [first, second], whole.groups).lead(0, 1)
    return lead.value, lead.low, lead.high


if __name__ == "__main__":
    main()
