"""Files of masks: PNG, a table of shares, a video with the classes over it, and JSON.

Each appears under its name only when it is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from vidfit.contracts import Frames
from vidfit.documents import to_json
from vidfit.errors import StoreError, VidfitError
from vidfit.files import new_file, temporary_in, write_whole
from vidfit.jobs.predict.masks.looks import MaskLook, shares
from vidfit.tasks.segment.colours import colours

FORMATS = ("json", "csv", "png", "mp4")
_VEIL = 0.5
_BAR_PIXELS, _FONT = 22, 0.42


@dataclass(frozen=True)
class VideoMasks:
    """What is said of the masks of one video.

    Parameters
    ----------
    looks
        Frames that were looked at, each ``every``-th of ``frame_count``.
    shares
        Of all pixels of all looks, by class.
    flicker
        Share of pixels whose class flips along the motion from look to look; ``None`` where
        nothing could be followed.
    """

    path: str
    duration_seconds: float
    width_pixels: int
    height_pixels: int
    frame_count: int
    every: int
    looks: int
    classes: tuple[str, ...]
    shares: tuple[float, ...]
    flicker: float | None
    notes: tuple[str, ...] = ()


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that masks are not written in.

    Raises
    ------
    VidfitError
        Names those that they are.
    """
    for name in formats:
        if name not in FORMATS:
            raise VidfitError(f"masks are not written as {name!r}; valid are {', '.join(FORMATS)}")


class MaskFiles:
    """The files of one video while they grow: `mask_files` opens and completes them."""

    def __init__(
        self, classes: Sequence[str], pictures: Path | None, table: IO[bytes] | None
    ) -> None:
        self._classes, self._pictures, self._table = tuple(classes), pictures, table
        if table:
            cells = ["seconds", "frame", *(_cell(name) for name in classes)]
            table.write((",".join(cells) + "\n").encode())

    def add(self, look: MaskLook) -> None:
        """Write what belongs to a look."""
        if self._table:
            cells = [f"{look.pts_seconds:.3f}", str(look.index)]
            cells += [f"{share:.5f}" for share in shares(look.labels_YX, len(self._classes))]
            self._table.write((",".join(cells) + "\n").encode())
        if self._pictures:
            _png(look.labels_YX, self._pictures / f"{look.index:06d}.png", len(self._classes))


@contextmanager
def mask_files(
    folder: Path | None, name: str, formats: Sequence[str], classes: Sequence[str]
) -> Iterator[MaskFiles]:
    """Open the files of a video; they get their names when all is written."""
    if folder is None:
        yield MaskFiles(classes, None, None)
        return
    unfinished = temporary_in(folder)
    pictures = unfinished if "png" in formats else None
    try:
        if pictures:
            pictures.mkdir(parents=True)
            lines = "".join(f"{one}\n" for one in classes)
            (pictures / "names.txt").write_text(lines, encoding="utf-8")
        if "csv" in formats:
            with new_file(folder / f"{name}.csv") as table:
                yield MaskFiles(classes, pictures, table)
        else:
            yield MaskFiles(classes, pictures, None)
        if pictures:
            _in_place(pictures, folder / f"{name}.masks")
    except OSError as error:
        raise StoreError(f"masks of {name} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_json(masks: VideoMasks, path: Path) -> None:
    """Write what is said of a video."""
    write_whole(path, (to_json(as_data(masks), indent=1) + "\n").encode())


def as_data(masks: VideoMasks) -> dict[str, Any]:
    """Return what is said of a video as JSON takes it."""
    data = asdict(masks)
    pairs = zip(masks.classes, masks.shares, strict=True)
    data["shares"] = {name: round(share, 6) for name, share in pairs}
    data["flicker"] = None if masks.flicker is None else round(masks.flicker, 6)
    return data


def overlaid(look: MaskLook, classes: Sequence[str]) -> Frames:
    """Return a frame with the colours of its classes over it, and their names below."""
    import cv2

    table_X3 = colours(len(classes))
    colour_YX3 = table_X3[look.labels_YX]
    picture_YX3 = cv2.addWeighted(look.picture_YX3, 1 - _VEIL, colour_YX3, _VEIL, 0.0)
    share_C = shares(look.labels_YX, len(classes))
    width = look.labels_YX.shape[1]
    bar_YX3 = np.full((_BAR_PIXELS, width, 3), 24, np.uint8)
    x = 6
    for number in sorted(range(len(classes)), key=lambda c: -share_C[c]):
        text = classes[number].encode("ascii", "replace").decode()
        needed = 16 + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, _FONT, 1)[0][0] + 10
        if share_C[number] <= 0 or x + needed > width:
            break
        cv2.rectangle(bar_YX3, (x, 6), (x + 10, 16), table_X3[number].tolist(), -1)
        place = (x + 15, 16)
        white = (240, 240, 240)
        cv2.putText(bar_YX3, text, place, cv2.FONT_HERSHEY_SIMPLEX, _FONT, white, 1, cv2.LINE_AA)
        x += needed
    found: Frames = np.concatenate([np.asarray(picture_YX3, np.uint8), bar_YX3])
    return found


def _png(labels_YX: np.ndarray, path: Path, classes: int) -> None:
    from PIL import Image

    image = Image.fromarray(labels_YX, mode="P")
    image.putpalette(colours(classes).tobytes())
    image.save(path)


def _in_place(new: Path, path: Path) -> None:
    """Put a folder in the place of one of the same name."""
    old = temporary_in(path.parent)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _cell(name: str) -> str:
    """Return a name as a cell of a table; what a spreadsheet would take for a formula is text."""
    guarded = f"'{name}" if name[:1] in "=+-@\t" else name
    return '"' + guarded.replace('"', '""') + '"' if any(c in guarded for c in ',"\n') else guarded
