"""Photos or frames: whether the images of a folder are clips of their own, or one clip's frames.

Frames of a clip are numbered without a gap, of one size, and each looks like the one before it.
Where any of these does not hold, they are photos.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from vidfit.errors import VideoError
from vidfit.manifest.entries import list_folder
from vidfit.video.folder import read_image
from vidfit.video.names import is_flow

_FOLDERS, _PAIRS = 12, 4
"""How many folders are looked at, and how many pairs of neighbours in each."""

_BURST = timedelta(minutes=1)
_TIME = re.compile(r"((?:19|20)\d\d)\D?(\d\d)\D?(\d\d)\D{0,3}(\d\d)\D?(\d\d)\D?(\d\d)")
"""As in ``IMG_20240131_235959`` and ``2024-01-31 23.59.59``."""

_EXIF, _TAKEN = 0x8769, 36867

_SIDE_PIXELS = 32
_ALIKE_LEVELS = 20.0
"""Mean difference of neighbours, in grey levels of 255, below which they look alike.

Of 25 frames a second it is 1 to 8; of driving pictures a second apart 25 and more.
"""


def are_photos(folders: Iterable[Path]) -> bool:
    """Return whether images that lie in folders are photos: in most that hold several images.

    Parameters
    ----------
    folders
        That hold images, or folders with images, however deep.
    """
    found = [_holds_photos(images) for images in islice(_of_several(folders), _FOLDERS)]
    return sum(found) * 2 > len(found)


def _of_several(folders: Iterable[Path], depth: int = 4) -> Iterator[Sequence[Path]]:
    """Yield the images of each folder that holds more than one and no video."""
    for folder in folders:
        entries = list_folder(folder)
        if len(entries.images) > 1 and not entries.videos:
            yield [Path(image) for image in entries.images]
        if depth:
            yield from _of_several(entries.folders, depth - 1)


def _holds_photos(images: Sequence[Path]) -> bool:
    if any(is_flow(image.name) for image in images):
        return False
    if not _are_numbered([image.stem for image in images]):
        return True
    starts = np.unique(np.linspace(0, len(images) - 2, _PAIRS).astype(int))
    try:
        pairs = [(_seen(images[i]), _seen(images[i + 1])) for i in starts]
    except VideoError:
        return False
    if len({size for pair in pairs for size, _ in pair}) > 1:
        return True
    apart = [float(np.abs(first - second).mean()) for (_, first), (_, second) in pairs]
    return float(np.median(apart)) > _ALIKE_LEVELS


def _are_numbered(stems: Sequence[str]) -> bool:
    """Return whether names differ in their last number alone, which goes up by one step."""
    found = [re.fullmatch(r"(.*?)(\d+)(\D*)", stem) for stem in stems]
    if not all(found):
        return False
    around = {(match[1], match[3]) for match in found if match}
    numbers = [int(match[2]) for match in found if match]
    steps = {second - first for first, second in pairwise(numbers)}
    return len(around) == 1 and len(steps) == 1


def _seen(image: Path) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """Return the size of an image, and the image in small and grey."""
    frame = read_image(image)
    small = frame.reformat(_SIDE_PIXELS, _SIDE_PIXELS, "gray").to_ndarray()
    return (frame.width, frame.height), small.astype(np.float32)


def bursts(photos: Sequence[PurePath]) -> list[str | None]:
    """Return for each photo the name of the first of those that follow one another in a minute.

    Times are those in file names, without suffix; if these tell none, those that the cameras
    wrote into the files. Of photos that tell no time it returns ``None``.
    """
    times = [_in_name(photo.stem) for photo in photos]
    if not any(times):
        times = _in_files(photos)
    in_order = sorted((time, i) for i, time in enumerate(times) if time)
    found: list[str | None] = [None] * len(photos)
    first, last = "", datetime.min
    for time, i in in_order:
        if not first or time - last > _BURST:
            stem = photos[i].stem
            first = stem if stem not in found else str(photos[i])
        found[i], last = first, time
    return found


def _in_name(stem: str) -> datetime | None:
    match = _TIME.search(stem)
    return _parsed("".join(match.groups())) if match else None


def _in_files(photos: Sequence[PurePath]) -> list[datetime | None]:
    """Return when the photos were taken; a few that tell nothing stand for all."""
    few = np.unique(np.linspace(0, len(photos) - 1, _FOLDERS).astype(int)) if photos else ()
    if not any(_taken_at(photos[i]) for i in few):
        return [None] * len(photos)
    return [_taken_at(photo) for photo in photos]


def _taken_at(photo: PurePath) -> datetime | None:
    """Return DateTimeOriginal (Exif 2.32, tag 36867) from the head of a file."""
    from PIL import Image

    with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        with Image.open(photo, formats=("JPEG", "TIFF", "PNG", "WEBP")) as image:
            text = image.getexif().get_ifd(_EXIF).get(_TAKEN)
        return _parsed(re.sub(r"\D", "", text)) if isinstance(text, str) else None
    return None


def _parsed(digits: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(digits, "%Y%m%d%H%M%S")
    return None
