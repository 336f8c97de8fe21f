"""Labelled video tasks from real footage, from bound to appearance to bound to motion.

Two are labelled by people or by construction: ``fights`` (surveillance clips) and ``demo`` (the
motion of a camera). The others are made of the surveillance clips by one change to each, which
is the label; they need no annotation and are known from self-supervised learning:

- ``rotation``: by 0, 90, 180 or 270 degrees (Gidaris, Singh, Komodakis, RotNet, 2018);
- ``blur``: none, a little, more;
- ``arrow``: forwards or backwards (Wei, Lim, Zisserman, Freeman, 2018);
- ``speed``: as it was, or twice as fast (Benaim et al., SpeedNet, 2020);
- ``order``: in order, or with its pieces shuffled (Misra, Zitnick, Hebert, 2016).

What could tell a class without its change is the same for all classes of a task: square frames
from the centre, 15 a second, as many of them, one encoder. Each source clip is used for one
class only, so that no clip has a twin of another class; each recording is spread evenly over
the classes, and is the group.

Shape letters: T frames, H height, W width, C channels.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks._clips import SURVEILLANCE
from vidfit.contracts import Clip, Frames, Preprocessing
from vidfit.demo import build_demo
from vidfit.manifest import read_manifest
from vidfit.video import decode, probe, write_video

SIDE_PIXELS = 224
FRAMES_PER_SECOND = 15
FRAME_COUNT = 28
"""Frames of source footage: 1.87 s, which all but a few of the clips last."""

# Slower recordings would repeat frames at 15 a second.
_SLOWEST_FPS = 14
_SEED = 20262
_PIECES, _SHORTEST_PIECE = 4, 4
_BLUR_PIXELS = {"sharp": 0.0, "blurred": 0.8, "more-blurred": 1.6}
# The same bytes on every run: see vidfit.demo.
_ENCODING = {"preset": "veryfast", "crf": "20", "x264-params": "threads=1:cpu-independent=1"}

Change = Callable[[Frames, str, np.random.Generator], Frames]
"""Footage [T, H, W, C] and the name of a class -> the frames of the clip."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A task that is made by changing footage."""

    classes: tuple[str, ...]
    change: Change


def rotated(footage_THWC: Frames, label: str, rng: np.random.Generator) -> Frames:
    """Turn clockwise by so many degrees."""
    return np.rot90(footage_THWC, -int(label) // 90, axes=(1, 2))


def directed(footage_THWC: Frames, label: str, rng: np.random.Generator) -> Frames:
    """Play forwards or backwards."""
    return footage_THWC if label == "forwards" else footage_THWC[::-1]


def hastened(footage_THWC: Frames, label: str, rng: np.random.Generator) -> Frames:
    """Take half of the frames: consecutive ones from a random start, or every second one."""
    count = len(footage_THWC) // 2
    if label == "2x":
        return footage_THWC[int(rng.integers(2)) :: 2][:count]
    start = int(rng.integers(len(footage_THWC) - count + 1))
    return footage_THWC[start : start + count]


def reordered(footage_THWC: Frames, label: str, rng: np.random.Generator) -> Frames:
    """Keep the order, or cut into pieces of random lengths and put them in a random other one.

    Equal pieces would be cut where views of 4 or 8 end, or in their middle, never elsewhere.
    """
    if label == "in-order":
        return footage_THWC
    spare = len(footage_THWC) - _PIECES * _SHORTEST_PIECE
    lengths = _SHORTEST_PIECE + rng.multinomial(spare, np.full(_PIECES, 1 / _PIECES))
    pieces = np.split(footage_THWC, np.cumsum(lengths)[:-1])
    order = np.arange(_PIECES)
    while (order == np.arange(_PIECES)).all():
        order = rng.permutation(_PIECES)
    return np.concatenate([pieces[i] for i in order])


def blurred(footage_THWC: Frames, label: str, rng: np.random.Generator) -> Frames:
    """Blur with a Gaussian of so many pixels."""
    sigma = _BLUR_PIXELS[label]
    if not sigma:
        return footage_THWC
    frames = [cv2.GaussianBlur(frame_HWC, (0, 0), sigma) for frame_HWC in footage_THWC]
    return np.asarray(np.stack(frames), np.uint8)


DERIVED = {
    "rotation": Derived(("0", "90", "180", "270"), rotated),
    "blur": Derived(tuple(_BLUR_PIXELS), blurred),
    "arrow": Derived(("forwards", "backwards"), directed),
    "speed": Derived(("1x", "2x"), hastened),
    "order": Derived(("in-order", "shuffled"), reordered),
}


def fights(directory: Path) -> Path:
    """List the surveillance clips as they are: fight or no fight."""
    clips = _surveillance()
    rows = [(str(Path(c.path).resolve()), str(c.label), str(c.group)) for c in clips]
    return _write_table(directory, rows)


def derived(name: str, directory: Path) -> Path:
    """Make the clips of a task of `DERIVED`."""
    clips = [clip for clip in _surveillance() if _is_usable(clip)]
    labels = _deal(clips, DERIVED[name].classes)
    for label in DERIVED[name].classes:
        (directory / label).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rows = pool.map(partial(_make, directory, name), range(len(clips)), clips, labels)
        return _write_table(directory, list(rows))


TASKS: dict[str, Callable[[Path], Path]] = {
    "fights": fights,
    "demo": build_demo,
    **{name: partial(derived, name) for name in DERIVED},
}
"""Task -> function that writes its clips into a folder and returns the path of its table."""


def build(name: str, directory: Path) -> Path:
    """Return the ``clips.csv`` (path, label, group) of a task, which is made when missing."""
    table = directory / "clips.csv"
    if table.is_file():
        return table
    directory.mkdir(parents=True, exist_ok=True)
    return TASKS[name](directory)


def _surveillance() -> Sequence[Clip]:
    if not SURVEILLANCE.is_dir():
        raise SystemExit(f"{SURVEILLANCE} is missing; only the task 'demo' can do without it")
    return read_manifest(SURVEILLANCE).clips


def _is_usable(clip: Clip) -> bool:
    info = probe(clip.path)
    lasts = info.duration_seconds >= FRAME_COUNT / FRAMES_PER_SECOND
    return lasts and info.average_fps >= _SLOWEST_FPS


def _deal(clips: Sequence[Clip], classes: Sequence[str]) -> list[str]:
    """Give each clip a class in turn, recording by recording, in a random order within each."""
    rng = np.random.default_rng(_SEED)
    shuffled = rng.permutation(len(clips))
    in_turn = sorted(shuffled, key=lambda i: str(clips[i].group))
    turn_of = {int(i): turn for turn, i in enumerate(in_turn)}
    return [classes[turn_of[i] % len(classes)] for i in range(len(clips))]


def _make(directory: Path, name: str, number: int, clip: Clip, label: str) -> tuple[str, str, str]:
    moments_seconds = np.arange(FRAME_COUNT) / FRAMES_PER_SECOND
    square = Preprocessing(SIDE_PIXELS, SIDE_PIXELS, short_side_pixels=SIDE_PIXELS)
    batch = decode(clip, timestamps_seconds=moments_seconds, preprocessing=square)
    rng = np.random.default_rng((_SEED, number))
    frames_THWC = DERIVED[name].change(batch.frames_THWC, label, rng)
    file = f"{label}/{Path(clip.path).stem}.mp4"
    write_video(directory / file, frames_THWC, FRAMES_PER_SECOND, options=_ENCODING)
    return file, label, str(clip.group)


def _write_table(directory: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """Write the table last and whole: where it is, all clips are."""
    path = directory / "clips.csv"
    unfinished = directory / f".clips.{os.getpid()}.csv"
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "group"))
        writer.writerows(sorted(rows))
    unfinished.replace(path)
    return path
