"""Spans found in long videos of unseen recordings: windows alone, and smoothed.

- `fir_ceiling`: seven videos by a camera in the ceiling, three people; each is left out in turn.
  Time between spans is not labelled, and is not judged.
- `joined fights`: clips of fights and of none by turns in long videos of their own recordings; a
  run of fights is a span, the rest is background.
- `joined drones`: infrared clips of drones, helicopters, airplanes and birds in long videos of
  their own scenes; all time is labelled. By `motion` alone.

Classes that one recording alone has are left out. Every choice, of smoothing too,
is made again without the recordings that are answered. Small networks over time, and timelines of
a model of clips with `predict --smooth`, are measured beside.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import Clip, Cost, Floats
from vidfit.features import FeatureStore
from vidfit.fusion.learner import Learner
from vidfit.fusion.linear import cross_fit
from vidfit.jobs.predict.smoothing import lasting
from vidfit.labels import ONE, UNSEEN
from vidfit.launch import Here
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import Scored, score_all
from vidfit.metrics.segments import SEGMENT_MEASURES
from vidfit.progress import SILENT
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
LONG_VIDEOS, SIDE = 12, (120, 160)
LAST_SECONDS = (1.0, 2.0, 5.0)
"""How long a class is said to last, for timelines of a model of clips."""

ALONE, SHIPPED, DRONES = "each alone", "as shipped", "joined drones"
WAYS: dict[str, Learner] = {
    SHIPPED: ChainedProbe(),
    ALONE: ChainedProbe(smooths=False),
}
Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    sets = {"fir_ceiling": read_windows(CEILING, between=None)}
    if options.quick:
        sets["fir_ceiling"] = _one_video_each(sets["fir_ceiling"])
    else:
        sets["joined fights"] = read_windows(_fights(options.cache / "joined_fights"))
        sets[DRONES] = read_windows(_drones(options.cache / "joined_drones"))
    figures: Figures = {}
    for name, manifest in sets.items():
        few = options.quick or name == DRONES
        whole = _table(manifest, options.cache, ENCODERS[: 1 if few else None])
        figures[name] = _compared(whole, _answers(whole, options), SHIPPED)
        _show(name, manifest, figures[name])
        if not options.quick:
            clips = _of_clips(whole)
            figures[f"{name}, a model of clips"] = _compared(whole, clips, next(iter(clips)))
            _show(f"{name}, a model of clips", manifest, figures[f"{name}, a model of clips"])
    judged = [name for name in sets if options.quick or name != "fir_ceiling"]
    said = [_said(name, figures[name]) for name in judged]
    met = all(figures[name]["gains"][ALONE]["f1@50"][1] > BAR for name in judged)
    finish(options, figures, start, f"{'; '.join(said)} (bar: all above 0)", met=met)


def _one_video_each(manifest: Manifest) -> Manifest:
    """Return the windows of the first video of each recording."""
    first = {clip.recording: clip.path for clip in manifest.clips[::-1]}
    kept = [clip for clip in manifest.clips if clip.path == first[clip.recording]]
    return replace(manifest, clips=tuple(kept))


def _said(name: str, figures: Figures) -> str:
    value, low, high = (100 * x for x in figures["gains"][ALONE]["f1@50"])
    each = figures["figures"]["f1@50"]
    return (
        f"{name}: F1@50 {100 * each[SHIPPED][0]:.1f}, {100 * each[ALONE][0]:.1f} each window "
        f"alone, gain {value:.1f} [{low:.1f}, {high:.1f}]"
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of videos and features")
    parser.add_argument("--networks", action="store_true", help="networks over time, too")
    return parser.parse_args()


def _fights(folder: Path) -> Path:
    """Write long videos of fights and of none by turns; those of none are background."""
    clips = read_manifest(SURVEILLANCE).clips
    return _joined(folder, {c: c.recording for c in clips}, _by_turns, rate=10)


def _drones(folder: Path) -> Path:
    """Write long videos of what flies; every clip is a span."""
    source = SURVEILLANCE.parent / "drone_ir"
    with (source / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scenes = {Clip(str(source / r["path"]), label=r["label"]): r["scene"] for r in rows}
    return _joined(folder, scenes, list, rate=5)


def _joined(
    folder: Path,
    scenes: Mapping[Clip, str],
    in_turn: Callable[[list[Clip]], list[Clip]],
    rate: int,
) -> Path:
    """Write long videos of clips of their own scenes, and the list of their spans."""
    path = folder / "spans.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    by_scene = defaultdict(list)
    for clip, scene in scenes.items():
        by_scene[scene].append(clip)
    rng = np.random.default_rng(0)
    order = rng.permutation(sorted(by_scene, key=lambda name: -len(by_scene[name])))
    rows: list[tuple[str, str, float, float, str]] = []
    for number in range(LONG_VIDEOS):
        clips = [clip for name in order[number::LONG_VIDEOS] for clip in by_scene[name]]
        at, name = 0.0, f"long{number}.mp4"
        parts = []
        for clip in in_turn([clips[i] for i in rng.permutation(len(clips))]):
            count = int(probe(clip.path).duration_seconds * rate)
            parts.append(_small(decode(clip, count=count).frames_THWC))
            until = at + count / rate
            if clip.label != "noFight":
                goes_on = rows and (rows[-1][0], rows[-1][1], rows[-1][3]) == (name, clip.label, at)
                begins = rows.pop()[2] if goes_on else at
                rows.append((name, str(clip.label), begins, until, f"long{number}"))
            at = until
        write_video(folder / name, np.concatenate(parts), rate)
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


def _table(manifest: Manifest, cache: Path, encoders: Sequence[str]) -> Table:
    networks, absent = load_networks(encoders)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(cache / "features")
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
    if len(whole.vectors) > 1:
        both = nested(whole.rows, deal, replace(terms, methods=whole.task.methods))
        found["both encoders"] = both.answers_MK["average-2"]
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
