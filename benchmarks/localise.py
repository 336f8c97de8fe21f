"""Spans found in long videos of unseen recordings, with and without smoothing over time.

- `fir_ceiling`: seven videos by a camera in the ceiling, three people; each is left out in turn.
  Time between spans is not labelled, and is not judged.
- `joined fights`: clips of fights and of none by turns in long videos of their own recordings; a
  run of fights is a span, the rest is background.

Classes that one recording alone has are left out. Every choice, that of the smoothing too, is made
again without the recordings that are answered.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import SILENT, Clip, Cost
from vidfit.features import FeatureStore
from vidfit.launch import Here
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import Scored, score_all
from vidfit.metrics.segments import SEGMENT_MEASURES
from vidfit.selection import Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.localise import learner
from vidfit.tasks.localise.chain import CHAINS
from vidfit.tasks.localise.reading import read_windows
from vidfit.video import decode, probe, write_video

CEILING = SURVEILLANCE.parent / "fir_ceiling" / "segments.csv"
ENCODERS = ("motion", "efficientnet-lite0@4")
BAR = 0.0
LONG_VIDEOS, RATE, SIDE = 12, 10, (120, 160)
Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    sets = {"fir_ceiling": read_windows(CEILING, between=None)}
    if not options.quick:
        sets["joined fights"] = read_windows(_joined(options.cache / "joined_fights"))
    figures: Figures = {}
    for name, manifest in sets.items():
        figures[name] = _compared(_table(manifest, options))
        _show(name, manifest, figures[name])
    name = list(figures)[-1]
    both, gain = figures[name]["figures"]["f1@50"], figures[name]["gain f1@50"]
    headline = (
        f"{name}: F1@50 {100 * both['smoothed'][0]:.1f} smoothed, "
        f"{100 * both['each alone'][0]:.1f} each window alone; gain {100 * gain[0]:.1f} "
        f"[{100 * gain[1]:.1f}, {100 * gain[2]:.1f}] points (bar: above 0)"
    )
    finish(options, figures, start, headline, met=gain[1] > BAR)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of videos and features")
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
    networks, absent = load_networks(ENCODERS)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    clips = [clip for clip in manifest.clips if clip.label is not None]
    whole, _ = build_table(clips, networks, store, Here(2), SILENT, task=task_named("localise"))
    lacking = whole.kind.lacking(whole.clips)
    return whole.of_classes([name for name in whole.classes if name not in lacking])


def _compared(whole: Table) -> Figures:
    """Return figures with and without smoothing; each is a whole nested choice."""
    found = {}
    for name, chains in (("smoothed", CHAINS), ("each alone", CHAINS[:1])):
        learner.CHAINS = chains
        terms = Terms(
            dict.fromkeys(whole.vectors, Cost(0.01, 0.01)), (), measure=whole.task.measure
        )
        deal = Folds(whole.classes, kind=whole.kind).by_recording
        found[name] = nested(whole.rows, deal, terms).chosen_MK
    learner.CHAINS = CHAINS
    answers = list(found.values())
    figures: Figures = {"figures": {}}
    for name, measure in SEGMENT_MEASURES.items():
        scored = score_all(measure, whole.labels_M, answers, whole.groups)
        figures["figures"][name] = {way: _of(scored, i) for i, way in enumerate(found)}
        lead = scored.lead(0, 1)
        figures[f"gain {name}"] = (lead.value, lead.low, lead.high)
    return figures


def _of(scored: Scored, which: int) -> tuple[float, float, float]:
    one = scored.interval(which)
    return one.value, one.low, one.high


def _show(name: str, manifest: Manifest, figures: Figures) -> None:
    clips = manifest.clips
    print(f"\n{name}: {len(clips)} windows, {len({c.path for c in clips})} videos, "
          f"{len({c.recording for c in clips})} recordings")  # fmt: skip
    rows = [
        (measure, *(f"{v:.3f} [{low:.3f}, {high:.3f}]" for v, low, high in of.values()))
        for measure, of in figures["figures"].items()
    ]
    table(("measure", "smoothed", "each window alone"), rows)


if __name__ == "__main__":
    main()
