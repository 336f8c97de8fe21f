"""From pictures and masks to labelled pictures, each of which is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import Kind
from vidfit.manifest import Manifest
from vidfit.manifest.groups import assign_groups
from vidfit.manifest.value import Listing, absolute
from vidfit.metrics.areas import VOID, read_numbers
from vidfit.tasks.segment.kind import Masks, is_void, named
from vidfit.tasks.segment.pairs import PictureMask, pairs_of
from vidfit.tasks.task import Task

_ASPECT = 0.02
"""By how much the shape of a mask may differ from that of its picture, beside a pixel."""


@dataclass(frozen=True)
class _Checked:
    """A picture whose mask was read: the clip, and how many pixels have each number."""

    clip: Clip
    pixels_X: np.ndarray


def read_masks(
    source: str | Path, groups: Path | None = None, kind: Kind | None = None
) -> Manifest:
    """Read pictures with a mask each: an image whose pixels are numbers of classes.

    Number 255, and classes called void, ignore or unlabelled, are left out. A mask may be of
    another size than its picture, but not of another shape.

    Raises
    ------
    ManifestError
        If there are none, or none can be read.
    """
    found = pairs_of(Path(absolute(source)))
    listing = Listing(Path(source), found.layout)
    checked = []
    for pair in found.pairs:
        try:
            checked.append(_checked(pair, len(found.names)))
        except (VideoError, ValueError) as error:
            listing.reject(pair.picture, str(error))
    if not checked:
        why = listing.rejected[0].reason if listing.rejected else "it lists none"
        raise ManifestError(f"no picture of {source} has a mask that can be read: {why}")
    names = found.names or _numbered(checked, listing)
    kind = named(names)
    _notice(checked, names, listing)
    listing.clips = [one.clip for one in checked]
    if any(clip.group for clip in listing.clips) and groups is None:
        listing.grouping = "from the table"
    clips = assign_groups(listing, groups)
    return Manifest(
        tuple(clips), listing.grouping, tuple(listing.warnings), tuple(listing.rejected),
        listing.layout, (), kind,
    )  # fmt: skip


def as_named(task: Task, manifest: Manifest) -> Task:
    """Return the task with the classes that the masks have."""
    kind = manifest.kind
    if not isinstance(kind, Masks):
        return task
    return replace(task, kind=kind, learner=replace(task.learner, kind=kind))  # type: ignore[type-var]


def _checked(pair: PictureMask, names: int) -> _Checked:
    """Read a mask and hold it against its picture and the names.

    Raises
    ------
    VideoError, ValueError
        Says what is wrong.
    """
    if pair.mask is None:
        raise ValueError("it has no mask")
    height, width = _size_of(pair.picture)
    numbers_YX = read_numbers(str(pair.mask))
    rows, columns = numbers_YX.shape
    slack = _ASPECT + 1 / min(rows, columns, height, width)
    if abs(np.log((columns / rows) / (width / height))) > slack:
        raise ValueError(
            f"its mask {pair.mask} has {columns} x {rows} pixels and the picture {width} x "
            f"{height}: a mask must have the shape of its picture"
        )
    pixels_X = np.bincount(numbers_YX.ravel(), minlength=VOID + 1)
    beyond = names + np.flatnonzero(pixels_X[names:VOID])
    if names and len(beyond):
        raise ValueError(
            f"its mask {pair.mask} has the number {beyond[0]}, and {names} classes are named, from "
            f"0 to {names - 1}; {VOID} is void"
        )
    clip = Clip(str(pair.picture), label=str(pair.mask), group=pair.group, split=pair.split)
    return _Checked(clip, pixels_X)


def _size_of(picture: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(picture) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VideoError(
            f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return (width, height) if turned else (height, width)


_ORIENTATION = 0x0112


def _numbered(checked: Sequence[_Checked], listing: Listing) -> tuple[str, ...]:
    """Return names of numbers where nothing says them."""
    pixels_X = np.sum([one.pixels_X for one in checked], axis=0)
    there = np.flatnonzero(pixels_X[:VOID])
    listing.warnings.append(
        "No names.txt says what the numbers of masks mean: classes are called by their numbers. "
        "With names, a class called void is left out."
    )
    return tuple(f"class {number}" for number in range(int(there.max(initial=0)) + 1))


def _notice(checked: Sequence[_Checked], names: Sequence[str], listing: Listing) -> None:
    """Warn of classes that cannot be tested: in no mask, or in masks of one recording."""
    pixels_X = np.sum([one.pixels_X for one in checked], axis=0)
    absent = [n for i, n in enumerate(names) if not pixels_X[i] and not is_void(n)]
    if absent:
        listing.warnings.append(f"No pixel is labelled {', '.join(absent)}: never answered.")
    if sum(1 for i, n in enumerate(names) if pixels_X[i] and not is_void(n)) < 2:
        raise ManifestError(
            "all labelled pixels are of one class; two classes or more are needed to learn from"
        )
