"""Spans found in long videos of unseen recordings: windows alone, with neighbours, and smoothed.

- `fir_ceiling`: seven videos by a camera in the ceiling, three people; each is left out in turn.
  Time between spans is not labelled, and is not judged.
- `joined fights`: clips of fights and of none by turns in long videos of their own recordings; a
  run of fights is a span, the rest is background.

Classes that one recording alone has are left out. Every choice, of neighbours and smoothing too,
is made again without the recordings that are answered. Small networks over time, and timelines of
a model of clips with `predict --smooth`, are measured beside.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import SILENT, Clip, Cost, Floats
from vidfit.features import FeatureStore
from vidfit.fusion.learner import Learner
from vidfit.fusion.linear import cross_fit
from vidfit.jobs.predict.smoothing import lasting
from vidfit.labels import ONE, UNSEEN
from vidfit.launch import Here
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import Scored, score_all
from vidfit.metrics.segments import SEGMENT_MEASURES
from vidfit.selection import Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.localise.learner import ChainedProbe
from vidfit.tasks.localise.moments import numbers_of
from vidfit.tasks.localise.reading import read_windows
from vidfit.video import decode, probe, write_video

CEILING = SURVEILLANCE.parent / "fir_ceiling" / "segments.csv"
ENCODERS = ("motion", "efficientnet-lite0@4")
BAR = 0.0
LONG_VIDEOS, RATE, SIDE = 12, 10, (120, 160)
LAST_SECONDS = (1.0, 2.0, 5.0)
"""How long a class is said to last, for timelines of a model of clips."""

ALONE, SMOOTHED = "each alone", "smoothed"
WAYS: dict[str, Learner] = {
    SMOOTHED: ChainedProbe(widths=(0,)),
    ALONE: ChainedProbe(widths=(0,), smooths=False),
    "neighbours": ChainedProbe(smooths=False),
    "neighbours, smoothed": ChainedProbe(),
}
Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    sets = {"fir_ceiling": read_windows(CEILING, between=None)}
    if not options.quick:
        sets["joined fights"] = read_windows(_joined(options.cache / "joined_fights"))
    figures: Figures = {}
    for name, manifest in sets.items():
        whole = _table(manifest, options)
        figures[name] = _compared(whole, _answers(whole, options), SMOOTHED)
        _show(name, manifest, figures[name])
        if not options.quick:
            clips = _of_clips(whole)
            figures[f"{name}, a model of clips"] = _compared(whole, clips, next(iter(clips)))
            _show(f"{name}, a model of clips", manifest, figures[f"{name}, a model of clips"])
    name = "fir_ceiling" if options.quick else "joined fights"
    both, gain = figures[name]["figures"]["f1@50"], figures[name]["gains"][ALONE]["f1@50"]
    headline = (
        f"{name}: F1@50 {100 * both[SMOOTHED][0]:.1f} smoothed, "
        f"{100 * both[ALONE][0]:.1f} each window alone; gain {100 * gain[0]:.1f} "
        f"[{100 * gain[1]:.1f}, {100 * gain[2]:.1f}] points (bar: above 0)"
    )
    finish(options, figures, start, headline, met=gain[1] > BAR)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of videos and features")
    parser.add_argument("--networks", action="store_true", help="networks over time, too")
    return parser.parse_args()


def _joined(folder: Path) -> Path:
    """Write long videos of clips of their own recordings, and the list of their fights."""
    path = folder / "spans.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    by_recording = defaultdict(list)
    for clip in read_manifest(SURVEILLANCE).clips:
        by_recording[clip.recording].append(clip)
    rng = np.random.default_rng(0)
    order = rng.permutation(sorted(by_recording, key=lambda name: -len(by_recording[name])))
    rows: list[tuple[str, str, float, float, str]] = []
    for number in range(LONG_VIDEOS):
        clips = [clip for name in order[number::LONG_VIDEOS] for clip in by_recording[name]]
        at = 0.0
        parts = []
        for clip in _by_turns([clips[i] for i in rng.permutation(len(clips))]):
            count = int(probe(clip.path).duration_seconds * RATE)
            parts.append(_small(decode(clip, count=count).frames_THWC))
            until = at + count / RATE
            if clip.label == "fight":
                goes_on = rows and rows[-1][0] == f"long{number}.mp4" and rows[-1][3] == at
                begins = rows.pop()[2] if goes_on else at
                rows.append((f"long{number}.mp4", "fight", begins, until, f"long{number}"))
            at = until
        write_video(folder / f"long{number}.mp4", np.concatenate(parts), RATE)
    with path.open("w", newline="", encoding="utf-8") as file:
        written = csv.writer(file)
        written.writerow(("path", "label", "start", "end", "group"))
        written.writerows(rows)
    return path


def _by_turns(clips: list[Clip]) -> list[Clip]:
    """Return clips so that as few fights as possible follow one another."""
    fights, others = ([c for c in clips if (c.label == "fight") == is_fight] for is_fight in (1, 0))
    places = [(i + 0.5) / len(of) for of in (fights, others) for i in range(len(of))]
    order = sorted(range(len(clips)), key=lambda i: places[i])
    return [[*fights, *others][i] for i in order]


def _small(frames_THWC: np.ndarray) -> np.ndarray:
    import cv2

    return np.stack([cv2.resize(f, SIDE[::-1], interpolation=cv2.INTER_AREA) for f in frames_THWC])


def _table(manifest: Manifest, options: argparse.Namespace) -> Table:
    networks, absent = load_networks(ENCODERS[: 1 if options.quick else None])
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    clips = [clip for clip in manifest.clips if clip.label is not None]
    whole, _ = build_table(clips, networks, store, Here(2), SILENT, task=task_named("localise"))
    lacking = whole.kind.lacking(whole.clips)
    return whole.of_classes([name for name in whole.classes if name not in lacking])


def _answers(whole: Table, options: argparse.Namespace) -> dict[str, Floats]:
    """Return answers by each way; each is a whole nested choice."""
    ways = dict(WAYS)
    if options.networks:
        from benchmarks._over_time import Dilated, NetworkOverTime, Recurrent

        ways |= {"dilated": NetworkOverTime(made=Dilated), "gru": NetworkOverTime(made=Recurrent)}
    terms = Terms(dict.fromkeys(whole.vectors, Cost(0.01, 0.01)), (), measure=whole.task.measure)
    deal = Folds(whole.classes, kind=whole.kind).by_recording
    found = {}
    for name, learner in ways.items():
        rows = replace(whole.rows, task=replace(whole.task, learner=learner))
        found[name] = nested(rows, deal, terms).chosen_MK
    return found


def _of_clips(whole: Table) -> dict[str, Floats]:
    """Return answers of a probe of the first encoder to windows as clips, and smoothed.

    That is what `vidfit predict --window SECONDS --smooth SECONDS` does with a model of clips.
    """
    x_MD, class_M = next(iter(whole.vectors.values())), numbers_of(whole.labels_M)
    deal = Folds(whole.classes, kind=whole.kind)
    folds_M = deal.by_recording(whole.labels_M, whole.groups, 0)
    answers_MK = np.full((len(class_M), len(whole.classes)), UNSEEN, np.float32)
    for fold in np.unique(folds_M):
        out_M = folds_M == fold
        learned = whole.where(~out_M)
        inner_M = deal.to_choose(learned.labels_M, learned.groups, 1)
        head, inner_MK = cross_fit([x_MD[~out_M]], class_M[~out_M], inner_M)
        heat = ONE.temperature(inner_MK, class_M[~out_M])
        said_MK = ONE.stated(head.log_probabilities([x_MD[out_M]]), heat)
        answers_MK[out_M, : said_MK.shape[1]] = ONE.as_answers(said_MK)
    order = whole.kind.order(whole.labels_M)
    smooth = {f"--smooth {s:g}": lasting(answers_MK, s, *order) for s in LAST_SECONDS}
    return {**smooth, ALONE: answers_MK}


def _compared(whole: Table, answers: Mapping[str, Floats], first: str) -> Figures:
    """Return the figures of each way, and what one gains over each other."""
    names = list(answers)
    figures: Figures = {"figures": {}, "gains": {name: {} for name in names if name != first}}
    for measure_name, measure in SEGMENT_MEASURES.items():
        scored = score_all(measure, whole.labels_M, list(answers.values()), whole.groups)
        figures["figures"][measure_name] = {n: _of(scored, i) for i, n in enumerate(names)}
        for name, of in figures["gains"].items():
            lead = scored.lead(names.index(first), names.index(name))
            of[measure_name] = lead.value, lead.low, lead.high
    return figures


def _of(scored: Scored, which: int) -> tuple[float, float, float]:
    one = scored.interval(which)
    return one.value, one.low, one.high


def _show(name: str, manifest: Manifest, figures: Figures) -> None:
    clips = manifest.clips
    print(f"\n{name}: {len(clips)} windows, {len({c.path for c in clips})} videos, "
          f"{len({c.recording for c in clips})} recordings")  # fmt: skip
    rows = [
        (measure, *(_shown(one, measure) for one in of.values()))
        for measure, of in figures["figures"].items()
    ]
    table(("measure", *figures["figures"]["f1@50"]), rows)
    for other, of in figures["gains"].items():
        print(f"gain over {other}: F1@50 {_shown(of['f1@50'], 'f1@50')}")


def _shown(one: tuple[float, float, float], measure: str) -> str:
    """Return a figure with its interval; shares as percent."""
    rate = SEGMENT_MEASURES[measure].kind == "unbounded"
    value, low, high = (x if rate else 100 * x for x in one)
    return (
        f"{value:.0f} [{low:.0f}, {high:.0f}]" if rate else f"{value:.1f} [{low:.1f}, {high:.1f}]"
    )


if __name__ == "__main__":
    main()
