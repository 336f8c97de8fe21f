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
import csv
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish, table
from benchmarks._study import CACHE, load_networks
from vidfit.contracts import SILENT, Clip, Cost, Floats
from vidfit.features import FeatureStore
from vidfit.launch import Here
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import Scored, score_all
from vidfit.metrics.segments import CLASS
from vidfit.metrics.unusual import NORMAL, MicroAuc
from vidfit.selection import Terms, nested
from vidfit.study.folds import Folds
from vidfit.study.table import Table, build_table
from vidfit.tasks import task_named
from vidfit.tasks.anomaly.detectors import Detectors, knots_of, rarity
from vidfit.tasks.anomaly.kind import ALARM, NORMAL_LABEL
from vidfit.tasks.anomaly.reading import read_recordings_of
from vidfit.video import decode, probe

PED2 = SURVEILLANCE.parent / "ucsd_ped2"
BAR, FIGHT_BAR = 0.90, 0.727
PUBLISHED = "future frame 95.4, FUVAS .914, HF2-VAD 99.3, attribute kNN 99.1"
LEARN, HOLD = 10, 3
"""Normal clips of the split for networks: to learn, for p-values; the rest tells false alarms."""

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    start = environment()
    figures: Figures = {"ped2": _ped2(options)}
    if not options.quick:
        figures["networks"] = _networks(options)
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
    finish(options, figures, start, headline, met=chosen[0] >= BAR)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of features")
    parser.add_argument("--steps", type=int, default=600, help="training steps of a network")
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
        figures[name] = {"all windows": _of(scored, 0), "test clips, frames": frames}
        rows.append((name, _shown(_of(scored, 0)), _shown(frames)))
    print(f"\nucsd_ped2: {len(whole.clips)} windows, {len(set(whole.groups))} recordings")
    table(("out of fold", "micro AUC, all", "frames of test clips"), rows)
    print(f"published, frames of 12 test clips: {PUBLISHED}")
    figures["test clips, frames"] = figures["chosen"]["test clips, frames"]
    if "Fisher" in found:
        gain = _gain(whole, found["Fisher"], found[_best(whole, found, encoders)])
        print(f"Fisher of all against the best single one: {_signed(gain)}")
        figures["gain of Fisher"] = gain
    figures["measures"] = _measures(whole, found["chosen"])
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
        figures[name] = _of(scored, 0)
        rows.append((name, _shown(figures[name])))
    table(("chosen", "out of fold"), rows)
    return figures


def _frame_auc(whole: Table, answers_M1: Floats, among_M: Any) -> tuple[float, float, float]:
    """Return the area over frames, each with the score of its window, drawn by recording."""
    flags = _flags()
    truth, answers, groups = [], [], []
    for m in np.flatnonzero(among_M):
        clip = whole.clips[m]
        of = flags[Path(clip.path).stem]
        rate = len(of) / probe(clip.path).duration_seconds
        first, after = (round(rate * s) for s in (clip.start_seconds, clip.end_seconds or 0))
        row = np.zeros(NORMAL + 1)
        for flag in of[first:after]:
            row[CLASS] = flag
            truth.append(row.copy())
            answers.append(answers_M1[m])
            groups.append(clip.recording)
    return _of(score_all(MicroAuc(), np.array(truth), [np.array(answers)], groups), 0)


def _flags() -> dict[str, list[int]]:
    found = defaultdict(list)
    with (PED2 / "frames.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["clip"]].append(int(row["anomalous"]))
    return found


# ------------------------------------------------------------------ networks, on one split


def _networks(options: argparse.Namespace) -> Figures:
    """Compare networks that learn frames with cells of speed, clean and with noise."""
    from benchmarks import _predictors as nets

    small, large = _videos((nets.HEIGHT, nets.WIDTH)), _videos((240, 360))
    names = sorted(name for name in small if name.startswith("train"))
    learn, hold = names[:LEARN], names[LEARN : LEARN + HOLD]
    asked = [name for name in small if name not in {*learn, *hold}]
    rng = np.random.default_rng(0)
    noisy_small, noisy_large = (
        {name: _noisy(of[name], rng, nets.NOISE) if name in asked else of[name] for name in of}
        for of in (small, large)
    )
    recipes = {
        "predictor": nets.Recipe(steps=options.steps),
        "predictor, regularized": nets.Recipe(steps=options.steps, consistency=1.0),
        "autoencoder": nets.Recipe(recurrent=False, steps=options.steps),
    }
    scores: dict[str, tuple[dict[str, Floats], dict[str, Floats]]] = {}
    seconds = {}
    for name, recipe in recipes.items():
        trained = nets.trained([small[n] for n in learn], recipe)
        seconds[name] = trained.cpu_seconds
        clean, noisy = (
            {n: _windows_of(nets.errors(trained, video).max(axis=1)) for n, video in of.items()}
            for of in (small, noisy_small)
        )
        scores[name] = clean, noisy
        print(f"  {name}: trained in {trained.cpu_seconds:.0f} s of the processor")
    began = time.process_time()
    vectors = [{n: _speeds(video) for n, video in of.items()} for of in (large, noisy_large)]
    detectors = Detectors.of(np.concatenate([vectors[0][n] for n in learn]))
    distances = [{n: detectors.distances(x) for n, x in of.items()} for of in vectors]
    for which, way in ((2, "speed-grid, places"), (0, "speed-grid, neighbours")):
        scores[way] = tuple({n: d[which] for n, d in of.items()} for of in distances)  # type: ignore[assignment]
        seconds[way] = time.process_time() - began
    return _networks_shown(scores, seconds, hold, asked)


def _networks_shown(
    scores: Mapping[str, tuple[dict[str, Floats], dict[str, Floats]]],
    seconds: Mapping[str, float],
    hold: Sequence[str],
    asked: Sequence[str],
) -> Figures:
    truth, groups = _window_truth(asked)
    scored_as, figures, rows = {}, {}, []
    for name, both in scores.items():
        knots_Q = knots_of(np.concatenate([both[0][n] for n in hold]).astype(float))
        row = [name]
        for state, of in zip(("clean", "noisy"), both, strict=True):
            raw_N = np.concatenate([of[n] for n in asked]).astype(float)
            answers_N1 = (rarity(raw_N, knots_Q) + np.log(ALARM))[:, None]
            scored_as[name, state] = answers_N1
            measures = task_named("anomaly").measures
            area, found = (
                _of(score_all(measures[m], truth, [answers_N1], groups), 0)
                for m in ("micro-auc", "events-found")
            )
            usual_N = truth[:, CLASS] == 0
            wrong = float((answers_N1[usual_N, 0] >= 0).mean())
            right = float((answers_N1[~usual_N, 0] >= 0).mean())
            figures[f"{name}, {state}"] = {
                "micro-auc": area, "events found": found, "windows above, usual": wrong,
                "windows above, unusual": right,
            }  # fmt: skip
            row += [_shown(area), f"{right:.2f}", f"{wrong:.2f}"]
        figures[f"{name}, cpu seconds"] = seconds[name]
        rows.append((*row, f"{seconds[name]:.0f}"))
    print(f"\nucsd_ped2, one split: {LEARN} normal clips learned, {HOLD} set p-values")
    head = ("learned", "AUC", "above", "false", "AUC, noise", "above", "false", "CPU s")
    table(head, rows)
    for name in ("predictor, regularized", "predictor"):
        for other in ("speed-grid, places", "speed-grid, neighbours"):
            for state in ("clean", "noisy"):
                pair = [scored_as[name, state], scored_as[other, state]]
                lead = score_all(MicroAuc(), truth, pair, groups).lead(0, 1)
                figures[f"{name} over {other}, {state}"] = (lead.value, lead.low, lead.high)
                print(f"{name} over {other}, {state}: {_signed((lead.value, lead.low, lead.high))}")
    for state in ("clean", "noisy"):
        pair = [scored_as["predictor, regularized", state], scored_as["predictor", state]]
        lead = score_all(MicroAuc(), truth, pair, groups).lead(0, 1)
        figures[f"regularizer, {state}"] = (lead.value, lead.low, lead.high)
        print(f"regularizer, {state}: {_signed((lead.value, lead.low, lead.high))}")
    return figures


WINDOW_FRAMES = 5


def _videos(size: tuple[int, int]) -> dict[str, Floats]:
    """Return grey videos by name, [F, H, W] of values in [0, 1]."""
    import cv2

    found = {}
    for path in sorted(PED2.glob("*/*.mp4")):
        frames = decode(Clip(str(path)), fps=10).frames_THWC[..., 0]
        scaled = [cv2.resize(f, size[::-1], interpolation=cv2.INTER_AREA) for f in frames]
        found[path.stem] = np.stack(scaled).astype(np.float32) / 255
    return found


def _noisy(video: Floats, rng: np.random.Generator, sigma: float) -> Floats:
    noise = rng.standard_normal(video.shape, np.float32)
    return np.clip(video + np.float32(sigma) * noise, 0, 1)


def _windows_of(score_F: Floats) -> Floats:
    """Return the mean of each window's frames."""
    starts = range(0, len(score_F), WINDOW_FRAMES)
    return np.array([score_F[i : i + WINDOW_FRAMES].mean() for i in starts], np.float32)


def _speeds(video_FHW: Floats) -> Floats:
    """Return the mean speeds of each window."""
    from vidfit.backbones.speed_grid import speed_grid

    encoder = speed_grid()
    frames = np.repeat((255 * video_FHW).astype(np.uint8)[..., None], 3, axis=3)
    found = []
    for i in range(0, len(frames), WINDOW_FRAMES):
        firsts = range(i, min(i + WINDOW_FRAMES, len(frames)) - 2)
        views = np.stack([frames[[f, f + 2]] for f in firsts])
        found.append(encoder.forward(views).mean(axis=(0, 1)))
    return np.stack(found)


def _window_truth(names: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the truth of windows, and their recordings."""
    flags, rows, groups = _flags(), [], []
    for number, name in enumerate(names):
        of = np.array(flags[name])
        events = np.flatnonzero(of)
        start, end = (events[0] / 10, (events[-1] + 1) / 10) if len(events) else (0.0, 0.0)
        for i in range(0, len(of), WINDOW_FRAMES):
            middle = min(i + WINDOW_FRAMES // 2, len(of) - 1)
            unusual = bool(of[middle])
            normal = name.startswith("train")
            span = (start, end) if unusual else (0.0, 0.0)
            rows.append((unusual, number, i / 10, (i + WINDOW_FRAMES) / 10, *span, normal))
            groups.append(name)
    return np.array(rows, np.float64), groups


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
    figures: Figures = {name: _of(scored, i) for i, name in enumerate(names)}
    print(f"\nfights as novelties: {len(clips)} clips, {len(set(whole.groups))} recordings")
    table(("out of fold", "AUC"), [(name, _shown(figures[name])) for name in names])
    gain = _gain(whole, found["chosen"], found["mean of the motion numbers"])
    print(f"chosen over the mean of the motion numbers (bar {FIGHT_BAR}): {_signed(gain)}")
    best = _best(whole, found, tuple(whole.vectors))
    fused = _gain(whole, found["Fisher"], found[best])
    print(f"Fisher over {best}: {_signed(fused)}")
    return {**figures, "gain over motion": gain, "gain of Fisher": fused}


def _table(manifest: Manifest, encoders: Sequence[str], options: argparse.Namespace) -> Table:
    networks, absent = load_networks(encoders)
    if absent:
        raise SystemExit(f"networks are missing: {absent}")
    store = FeatureStore(options.cache / "features")
    task = task_named("anomaly")
    return build_table(manifest.clips, networks, store, Here(2), SILENT, task=task)[0]


def _gain(whole: Table, first: Floats, second: Floats) -> tuple[float, float, float]:
    lead = score_all(MicroAuc(), whole.labels_M, [first, second], whole.groups).lead(0, 1)
    return lead.value, lead.low, lead.high


def _of(scored: Scored, which: int) -> tuple[float, float, float]:
    one = scored.interval(which)
    return one.value, one.low, one.high


def _shown(figure: tuple[float, float, float]) -> str:
    return f"{figure[0]:.3f} [{figure[1]:.3f}, {figure[2]:.3f}]"


def _signed(figure: tuple[float, float, float]) -> str:
    return f"{figure[0]:+.3f} [{figure[1]:+.3f}, {figure[2]:+.3f}]"


if __name__ == "__main__":
    main()
