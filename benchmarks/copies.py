"""Which copies are found, and what a score claims to know of random labels where they are not.

First, surveillance clips and infrared ones of drones, and copies of eight kinds: which are found,
by four frames at fixed places as before and by eight and their best matches, and what that costs.

Then 96 clips of drifting colours have labels by chance, so that half of new clips is answered
right. 64 of them stand there twice, in a recording of their own, encoded harder or smaller: what is
learned from one answers the other. `select`, `fit`, `fit --holdout 0.3` and `fuse` run twice on
the same clips: with recordings joined that hold copies, as they do it, and without.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._copies_found import BAR, FALSE_PAIRS, worst
from benchmarks._copies_found import found as copies_found
from benchmarks._harness import arguments, environment, finish, table
from vidfit.contracts import Estimate, Frames
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.run import run_fuse
from vidfit.jobs.select.run import run_select
from vidfit.manifest import Manifest
from vidfit.study.copies import Joined
from vidfit.study.options import SelectOptions
from vidfit.video import write_video

CLIPS, COPIES, SETS = 96, 64, 8
CHANCE = 0.5
ERRORS = 2.0
"""A mean score may lie so many standard errors of the clips' labels above chance."""

JOBS = ("select", "fit", "fit --holdout 0.3", "fuse")
HEIGHT_PIXELS, WIDTH_PIXELS, FRAMES, FPS = 96, 128, 12, 12.0
COPIED = ({"crf": "32", "preset": "ultrafast"}, {"crf": "23", "preset": "ultrafast"})
"""How copies are encoded: harder, or, every other one, at 80 x 64 pixels."""

BACKBONE = '''
from vidfit.backbones import RESTORE
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

RESTORE["grid"] = f"{__name__}:restore"


class Grid:
    """Mean colours of 4 x 4 fields of a frame."""

    spec = BackboneSpec(
        name="grid", family="grid", architecture="algorithm",
        sampling=Sampling(clip_len=1, num_clips=4), preprocessing=Preprocessing(32, 32),
        dim=48, parameters=0, gmacs_per_view=0.0, licence="MIT", commercial_use=True,
        source="benchmark", revision="grid-1",
    )

    def forward(self, frames_BTHWC):
        import numpy as np
        batch, time = frames_BTHWC.shape[:2]
        fields = frames_BTHWC.reshape(batch, time, 4, 8, 4, 8, 3).mean(axis=(3, 5))
        return fields.reshape(batch, time, 48).astype(np.float32)

    def save(self, directory):
        pass


def restore(directory, spec):
    return Grid()
'''


def main() -> None:
    options = _options()
    start = environment()
    footage = copies_found(options.quick) if SURVEILLANCE.is_dir() else {}
    found: dict[str, list[dict[str, Any]]] = {job: [] for job in options.jobs}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_STATE_HOME"] = str(Path(scratch) / "state")
        for seed in range(options.sets):
            for job, row in _set(Path(scratch) / str(seed), seed, options).items():
                found[job].append(row)
            print(f"  set {seed + 1} of {options.sets}")
    figures = {job: _mean(rows) for job, rows in found.items()}
    table(
        ("job", "not joined", "joined", "bar", "recordings judged"),
        [_cells(job, f) for job, f in figures.items()],
    )
    told = ", ".join(
        f"{job} {f['before']:.1%} and {f['after']:.1%} (bar {f['bar']:.1%})"
        for job, f in figures.items()
    )
    finish(
        options,
        {**figures, "sets": found, "found": footage},
        start,
        f"copies found at {FALSE_PAIRS:.1%} false pairs, worst kind: {worst(footage):.0%} "
        f"(bar {BAR:.0%}); random labels, {CLIPS} clips and {COPIES} copies, not joined and "
        f"joined: {told}; {CHANCE:.0%} is true",
        met=worst(footage) >= BAR and all(f["after"] <= f["bar"] for f in figures.values()),
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--sets", type=int, help=f"sets of clips ({SETS}; quick 1)")
    options = parser.parse_args()
    options.sets = options.sets or (1 if options.quick else SETS)
    options.jobs = [job for job in JOBS if not (options.quick and job in ("select", "fit"))]
    return options


def _set(folder: Path, seed: int, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return by job what is claimed of one set of clips, joined and not."""
    listed = write_clips(folder, np.random.default_rng(seed))
    backbone = folder / "grid_backbone.py"
    backbone.write_text(BACKBONE)
    names = ("motion", f"{backbone}:Grid")
    rows = {}
    for job in options.jobs:
        with _not_joined():
            before, _ = _score(job, listed, folder / "out", names)
        after, groups = _score(job, listed, folder / "out", names)
        rows[job] = {"before": before.value, "after": after.value, "recordings": groups}
    return rows


def write_clips(folder: Path, rng: np.random.Generator) -> Path:
    """Write clips and copies, each a recording of its own; return their list."""
    folder.mkdir(parents=True)
    labels_M = rng.permutation(np.arange(CLIPS) % 2)
    copied = set(rng.choice(CLIPS, COPIES, replace=False).tolist())
    rows = []
    for i, label in enumerate(labels_M):
        frames = _frames(rng)
        names = [f"{'ab'[label]}{rng.integers(2**32):08x}.mp4" for _ in range(2)]
        write_video(folder / names[0], frames, FPS, options={"preset": "ultrafast"})
        if i in copied:
            small = [cv2.resize(f, (80, 64), interpolation=cv2.INTER_AREA) for f in frames]
            write_video(folder / names[1], small if i % 2 else frames, FPS, options=COPIED[i % 2])
        rows += [(name, "ab"[label], name) for name in names[: 1 + (i in copied)]]
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "group"), *rows])
    return folder / "clips.csv"


def _frames(rng: np.random.Generator) -> list[Frames]:
    """Return coloured clouds that drift."""
    clouds = rng.integers(0, 256, (7, 9, 3)).astype(np.float32)
    picture = cv2.resize(clouds, (WIDTH_PIXELS, HEIGHT_PIXELS), interpolation=cv2.INTER_CUBIC)
    picture = picture.clip(0, 255).astype(np.uint8)
    step = int(rng.integers(-3, 4))
    return [np.ascontiguousarray(np.roll(picture, step * i, axis=1)) for i in range(FRAMES)]


@contextmanager
def _not_joined() -> Iterator[None]:
    """Let jobs take recordings as they are listed."""

    def as_listed(manifest: Manifest, *_: object, **__: object) -> Joined:
        return Joined(manifest, (), 0.0)

    with patch("vidfit.study.opened.joined", as_listed):
        yield


def _score(job: str, listed: Path, output: Path, names: tuple[str, ...]) -> tuple[Estimate, int]:
    """Run a job; return its headline, and how many recordings it is of."""
    if job == "select":
        ranking = run_select(listed, output, SelectOptions(backbones=names))
        return ranking.score, ranking.group_count
    if job == "fuse":
        methods = ("concat", "stack")
        combination = run_fuse(listed, output, FuseOptions(backbones=names, methods=methods))
        return combination.score, combination.group_count
    share = 0.3 if "holdout" in job else 0.0
    report = run_fit(listed, output, FitOptions(backbones=names, holdout=share))
    judged = {result.clip.group for result in report.clips}
    return report.score, len(judged)


def _mean(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return means over sets, and the bar: chance, and what labels by chance spread."""
    recordings = sum(row["recordings"] for row in rows)
    return {
        "before": float(np.mean([row["before"] for row in rows])),
        "after": float(np.mean([row["after"] for row in rows])),
        "bar": CHANCE + ERRORS * math.sqrt(CHANCE * (1 - CHANCE) / recordings),
        "recordings": recordings / len(rows),
    }


def _cells(job: str, f: dict[str, float]) -> tuple[str, ...]:
    share = (f"{f['before']:.1%}", f"{f['after']:.1%}", f"{f['bar']:.1%}")
    return (job, *share, f"{f['recordings']:.0f}")


if __name__ == "__main__":
    main()
