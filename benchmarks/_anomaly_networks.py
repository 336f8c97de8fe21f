"""Networks that learn frames beside cells of speed, on one split of UCSD Ped2's normal clips.

All learn from the same clips, set p-values on others, and answer what is left: normal clips, and
the test clips; once as they are, and once with noise on all that is answered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _predictors as nets
from benchmarks._harness import table
from benchmarks._ped2 import PED2, Figure, estimate_of, flags_of_frames, shown, signed
from vidfit.backbones.speed_grid import HEIGHT_PIXELS, WIDTH_PIXELS, speed_grid
from vidfit.contracts import Clip, Floats
from vidfit.metrics import score_all
from vidfit.metrics.segments import CLASS
from vidfit.metrics.unusual import MicroAuc
from vidfit.tasks import task_named
from vidfit.tasks.anomaly.detectors import WAYS, Detectors, knots_of, rarity
from vidfit.tasks.anomaly.kind import ALARM
from vidfit.video import decode

LEARN, HOLD = 10, 3
"""Normal clips to learn from, and for p-values; the rest tells false alarms."""

WINDOW_FRAMES, GAP_FRAMES = 5, 2
STATES = ("clean", "noisy")

PLAIN, REGULARIZED, AUTOENCODER = "predictor", "predictor, regularized", "autoencoder"
BACKGROUND = "mean picture"
CELLS, NEIGHBOURS = "speed-grid, places", "speed-grid, neighbours"
FUSED = "Fisher of both"
FINE, COARSE = 4, 8
"""Pixels of 64 x 96 over which what a network gets wrong is averaged."""

Videos = dict[str, Floats]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """Names of clips that are learned from, that p-values are of, and that are answered."""

    learn: Sequence[str]
    hold: Sequence[str]
    asked: Sequence[str]


def networks_compared(steps: int) -> Figures:
    """Train, answer and print; return all figures."""
    large = _videos()
    small = {name: _scaled(video, (nets.HEIGHT, nets.WIDTH)) for name, video in large.items()}
    normal = [name for name in small if name.startswith("train")]
    learn, hold = normal[:LEARN], normal[LEARN : LEARN + HOLD]
    split = Split(learn, hold, [name for name in small if name not in {*learn, *hold}])
    scores, seconds = _scores_of_networks(small, split, steps)
    found, seconds[CELLS] = _scores_of_cells(large, split)
    seconds[NEIGHBOURS] = seconds[CELLS]
    scores |= found
    answers = _answers(scores, split)
    for state in STATES:
        answers[FUSED, state] = answers[PLAIN, state] + answers[CELLS, state]
    return _shown(answers, seconds, split)


def _scores_of_networks(
    videos: Videos, split: Split, steps: int
) -> tuple[dict[tuple[str, str], Videos], dict[str, float]]:
    """Return by network and state the scores of windows by clip; and seconds of training."""
    states = _states(videos, split)
    recipes: dict[str, nets.Recipe | None] = {
        BACKGROUND: None,
        PLAIN: nets.Recipe(steps=steps),
        REGULARIZED: nets.Recipe(steps=steps, consistency=1.0),
        AUTOENCODER: nets.Recipe(recurrent=False, steps=steps),
    }
    scores, seconds = {}, {}
    for name, recipe in recipes.items():
        learned = [videos[n] for n in split.learn]
        trained = nets.trained(learned, recipe) if recipe else nets.mean_picture(learned)
        seconds[name] = trained.cpu_seconds
        print(f"  {name}: trained in {trained.cpu_seconds:.0f} s of the processor", flush=True)
        moved = [nets.sway(trained, videos[n], states["noisy"][n]) for n in split.asked]
        print(f"    noise moves what it says by {np.mean(moved):.2f} of its variance", flush=True)
        for state, square in product(STATES, (FINE, COARSE)):
            named = name if square == FINE else f"{name}, coarse"
            scores[named, state] = {
                n: _windows_of(nets.errors(trained, video, square).max(axis=1))
                for n, video in states[state].items()
            }
    return scores, seconds


def _scores_of_cells(videos: Videos, split: Split) -> tuple[dict[tuple[str, str], Videos], float]:
    began = time.process_time()
    states = _states(videos, split)
    vectors = {state: {n: _speeds(v) for n, v in states[state].items()} for state in STATES}
    detectors = Detectors.of(np.concatenate([vectors["clean"][n] for n in split.learn]))
    scores = {}
    for name, way in ((CELLS, "places"), (NEIGHBOURS, "neighbours")):
        for state in STATES:
            scores[name, state] = {
                n: detectors.distances(x)[WAYS.index(way)].astype(np.float32)
                for n, x in vectors[state].items()
            }
    return scores, time.process_time() - began


def _states(videos: Videos, split: Split) -> dict[str, Videos]:
    """Return what is answered as it is, and with noise on it; what is learned has none."""
    rng = np.random.default_rng(0)
    noisy = {
        name: np.clip(
            videos[name] + nets.NOISE * rng.standard_normal(videos[name].shape, np.float32), 0, 1
        ).astype(np.float32)
        for name in split.asked
    }
    return {"clean": videos, "noisy": {**{n: videos[n] for n in split.hold}, **noisy}}


def _answers(
    scores: Mapping[tuple[str, str], Videos], split: Split
) -> dict[tuple[str, str], Floats]:
    """Return answers [N, 1] to the windows that are asked, by p-values of clean normal clips."""
    found = {}
    for (name, state), of in scores.items():
        clean = scores[name, "clean"]
        knots_Q = knots_of(np.concatenate([clean[n] for n in split.hold]).astype(np.float64))
        raw_N = np.concatenate([of[n] for n in split.asked]).astype(np.float64)
        found[name, state] = (rarity(raw_N, knots_Q) + np.log(ALARM))[:, None].astype(np.float32)
    return found


def _shown(
    answers: Mapping[tuple[str, str], Floats], seconds: Mapping[str, float], split: Split
) -> Figures:
    truth, groups = _truth(split.asked)
    usual_N = truth[:, CLASS] == 0
    figures: Figures = {"cpu seconds": dict(seconds)}
    rows = []
    for name in dict.fromkeys(name for name, _ in answers):
        row = [name]
        for state in STATES:
            answers_N1 = answers[name, state]
            of = {
                m: estimate_of(score_all(measure, truth, [answers_N1], groups), 0)
                for m, measure in task_named("anomaly").measures.items()
            }
            above = [float((answers_N1[which, 0] >= 0).mean()) for which in (~usual_N, usual_N)]
            figures[f"{name}, {state}"] = {**of, "unusual, usual windows above": above}
            row += [shown(of["micro-auc"]), f"{above[0]:.2f}", f"{above[1]:.2f}"]
        rows.append((*row, f"{seconds[name]:.0f}" if name in seconds else "-"))
    print(f"\nucsd_ped2, one split: {LEARN} normal clips learned, {HOLD} set p-values, "
          f"{len(split.asked)} answered, noise {nets.NOISE}")  # fmt: skip
    head = ("learned", "AUC", "found", "false", "AUC, noise", "found", "false", "CPU s")
    table(head, rows)
    pairs = (
        (REGULARIZED, PLAIN),
        (f"{REGULARIZED}, coarse", f"{PLAIN}, coarse"),
        (REGULARIZED, BACKGROUND),
        (PLAIN, NEIGHBOURS),
        (REGULARIZED, NEIGHBOURS),
        (FUSED, CELLS),
    )
    for (first, second), state in product(pairs, STATES):
        pair = [answers[first, state], answers[second, state]]
        lead = score_all(MicroAuc(), truth, pair, groups).lead(0, 1)
        gain: Figure = (lead.value, lead.low, lead.high)
        figures[f"{first} over {second}, {state}"] = gain
        print(f"{first} over {second}, {state}: {signed(gain)}")
    return figures


def _videos() -> Videos:
    """Return grey videos by name, [F, H, W] of values in [0, 1]."""
    found = {}
    for path in sorted(PED2.glob("*/*.mp4")):
        grey_FHW = decode(Clip(str(path)), fps=10).frames_THWC[..., 0]
        found[path.stem] = _scaled(grey_FHW, (HEIGHT_PIXELS, WIDTH_PIXELS)) / np.float32(255)
    return found


def _scaled(video_FHW: NDArray[Any], size: tuple[int, int]) -> Floats:
    import cv2

    scaled = [cv2.resize(f, size[::-1], interpolation=cv2.INTER_AREA) for f in video_FHW]
    return np.stack(scaled).astype(np.float32)


def _windows_of(score_F: Floats) -> Floats:
    """Return the mean of each window's frames."""
    starts = range(0, len(score_F), WINDOW_FRAMES)
    return np.array([score_F[i : i + WINDOW_FRAMES].mean() for i in starts], np.float32)


def _speeds(video_FHW: Floats) -> Floats:
    """Return the mean speeds of each window."""
    encoder = speed_grid()
    frames = np.repeat((255 * video_FHW).astype(np.uint8)[..., None], 3, axis=3)
    found = []
    for i in range(0, len(frames), WINDOW_FRAMES):
        firsts = range(i, min(i + WINDOW_FRAMES, len(frames)) - GAP_FRAMES)
        views = np.stack([frames[[f, f + GAP_FRAMES]] for f in firsts])
        found.append(encoder.forward(views).mean(axis=(0, 1)))
    return np.stack(found)


def _truth(names: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the truth of windows, and their recordings; each test clip has one event."""
    flags, rows, groups = flags_of_frames(), [], []
    for number, name in enumerate(names):
        flags_F = np.array(flags[name])
        shown_F = np.flatnonzero(flags_F)
        event = (shown_F[0] / 10, (shown_F[-1] + 1) / 10) if len(shown_F) else (0.0, 0.0)
        for i in range(0, len(flags_F), WINDOW_FRAMES):
            unusual = bool(flags_F[min(i + WINDOW_FRAMES // 2, len(flags_F) - 1)])
            span = event if unusual else (0.0, 0.0)
            times = (i / 10, (i + WINDOW_FRAMES) / 10)
            rows.append((unusual, number, *times, *span, name.startswith("train")))
            groups.append(name)
    return np.array(rows, np.float64), groups
