"""Draw clips with a generator and write them as videos, with a contact sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Indices
from vidfit.errors import VidfitError, not_known
from vidfit.files import claimed, write_whole
from vidfit.jobs.generate.makers import SHEET
from vidfit.pixels.generate.kept import load_generator
from vidfit.pixels.generate.members import drawn_labels
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.progress import SILENT, Progress
from vidfit.video import write_video

MOST_CLIPS = 10_000
_ON_SHEET = 64


@dataclass(frozen=True)
class DrawnClips:
    """Clips that were written, the class of each (empty without one), and the contact sheet."""

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    sheet: Path


def run_sample(
    model: Path,
    output: Path,
    *,
    count: int = 16,
    label: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> DrawnClips:
    """Draw clips; the same for the same seed.

    Parameters
    ----------
    label
        Class of all clips; ``None`` draws classes as frequent as they were.
    output
        Folder for ``sample-0001.mp4`` and on, and ``samples.png``; what else lies there stays.

    Raises
    ------
    ModelError
        If the model cannot be read.
    VidfitError
        If there is no such class, or the count is out of range.
    VideoError
        If a video cannot be written.
    """
    progress = progress or SILENT
    if not 1 <= count <= MOST_CLIPS:
        raise VidfitError(f"{count} clips cannot be drawn; give --count from 1 to {MOST_CLIPS:,}")
    if not 0 <= seed < 2**31:
        raise VidfitError(f"a seed of {seed} is not valid; give one from 0 to {2**31 - 1:,}")
    with claimed(output):
        generator = load_generator(model)
        sizes = generator.sizes
        labels = _labels(count, label, sizes, seed)
        drawn = generator.drawer.draw(labels, seed)
        paths = []
        progress.start("write clips", count)
        for row, clip in enumerate(drawn):
            path = output / f"sample-{row + 1:04d}.mp4"
            write_video(path, clip, sizes.fps, options={"crf": "12", "mbtree": "0"})
            paths.append(path)
            progress.advance()
        sheet = write_whole(output / SHEET, contact_sheet(drawn[:_ON_SHEET]))
    names = tuple(sizes.classes[one] if one >= 0 else "" for one in labels)
    return DrawnClips(tuple(paths), names, sheet)


def _labels(count: int, label: str | None, sizes: ClipSizes, seed: int) -> Indices:
    if label is None:
        return drawn_labels(count, sizes, seed)
    if not sizes.classes:
        raise VidfitError("this generator learned from clips without labels; leave --class away")
    if label not in sizes.classes:
        raise VidfitError(not_known("class of this generator", label, sizes.classes))
    return np.full(count, sizes.classes.index(label), np.int64)
