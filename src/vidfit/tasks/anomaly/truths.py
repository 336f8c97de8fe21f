"""Which frames of test videos are unusual, as data sets say it: [F] true or false by video.

Read are numbers only: no pickle, no MATLAB object.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidfit.errors import ManifestError
from vidfit.manifest.names import is_image
from vidfit.video.names import natural_key

Flags = NDArray[np.bool_]

_RANGES = re.compile(r"gt_frame\s*=\s*\[([^\]]*)\]")
_MOST_FRAMES = 10_000_000

FRAMES_TABLE = "frames.csv"
_CLIP_COLUMNS, _FLAG_COLUMNS = ("clip", "path", "video"), ("anomalous", "unusual", "label")


def frames_of(source: Path, tests: Sequence[Path]) -> dict[Path, Flags]:
    """Return what the files of a data set say of its test videos.

    Known are a table ``frames.csv`` (clip, frame, anomalous), folders of masks ``NAME_gt`` and
    lists ``gt_frame = [60:152];`` beside the videos (UCSD), ``NAME.npy`` (ShanghaiTech), and
    ``N_label.mat`` with ``volLabel`` (Avenue).

    Raises
    ------
    ManifestError
        If one of these cannot be read.
    """
    found: dict[Path, Flags] = {}
    for path, flags_F in [*_listed(tests), *_table(source / FRAMES_TABLE, tests)]:
        found[path] = flags_F
    masks = sorted(source.glob("**/*_mask/*"))
    arrays = {file.stem.casefold(): file for file in masks if file.suffix.lower() == ".npy"}
    mats = {file.stem.casefold(): file for file in masks if file.suffix.lower() == ".mat"}
    for path in tests:
        stem = path.stem.casefold() if path.is_file() else path.name.casefold()
        number = f"{int(stem)}_label" if stem.isdecimal() else ""
        if (folder := path.with_name(f"{path.name}_gt")).is_dir():
            found[path] = _read(folder, _masks)
        elif stem in arrays:
            found[path] = _read(arrays[stem], _array)
        elif number in mats:
            found[path] = _read(mats[number], _volume)
    return found


def runs_of(flags_F: Flags) -> list[tuple[int, int]]:
    """Return first frame, and first after it, of each run of unusual frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags_F.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _read(file: Path, reader: Callable[[Path], Flags]) -> Flags:
    try:
        return reader(file)
    except ManifestError:
        raise
    except Exception as error:  # of another library, whatever a damaged file makes it raise
        raise ManifestError(f"{file} cannot be read as frames that are unusual: {error}") from error


def _masks(folder: Path) -> Flags:
    from vidfit.video.folder import read_image

    files = sorted((f for f in folder.iterdir() if is_image(f.name)), key=_by_name)
    return np.array([bool(read_image(file).to_ndarray(format="gray").any()) for file in files])


def _array(file: Path) -> Flags:
    values = np.load(file, allow_pickle=False)
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 3):
        raise ManifestError(f"{file} holds {values.dtype} {values.shape}; valid are frames [F]")
    return np.asarray(values.reshape(len(values), -1).any(axis=1))


def _volume(file: Path) -> Flags:
    from scipy.io import loadmat

    cells = loadmat(file, variable_names=["volLabel"]).get("volLabel")
    each = [] if cells is None else [np.asarray(cell) for cell in cells.ravel()]
    if not each or any(mask.dtype.kind not in "biuf" for mask in each):
        raise ManifestError(f"{file} holds no volLabel of masks, a cell a frame")
    return np.array([bool(mask.any()) for mask in each])


def _listed(tests: Sequence[Path]) -> Iterator[tuple[Path, Flags]]:
    """Yield the frames of lists of MATLAB: the first is of the first video, and so on."""
    for file in sorted(file for folder in {t.parent for t in tests} for file in folder.glob("*.m")):
        text = file.read_text(encoding="utf-8", errors="replace")
        ranges = [match for match in _RANGES.findall(text) if match.strip()]
        if ranges and len(ranges) != len(tests):
            raise ManifestError(
                f"{file} lists unusual frames of {len(ranges)} videos, and there are {len(tests)}"
            )
        for path, written in zip(tests, ranges, strict=False):
            yield path, _frames(written, file)


def _frames(written: str, file: Path) -> Flags:
    """Return the frames of ranges such as ``60:152, 170``, counted from 1."""
    flags_F = np.zeros(0, np.bool_)
    for part in re.split(r"[,;\s]+", written.strip()):
        first, _, last = part.partition(":")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise ManifestError(f"{file} has the frames {written!r}; valid is '60:152, 170:180'")
        begins, ends = int(first), int(last or first)
        if not 0 < begins <= ends <= _MOST_FRAMES:
            raise ManifestError(f"{file} has the frames {part!r}; valid is FIRST:LAST, from 1")
        flags_F = np.pad(flags_F, (0, max(0, ends - len(flags_F))))
        flags_F[begins - 1 : ends] = True
    return flags_F


def _table(file: Path, tests: Sequence[Path]) -> Iterator[tuple[Path, Flags]]:
    if not file.is_file():
        return
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        names = rows.fieldnames or ()
        clip = next((name for name in _CLIP_COLUMNS if name in names), None)
        flag = next((name for name in _FLAG_COLUMNS if name in names), None)
        if clip is None or flag is None or "frame" not in names:
            raise ManifestError(
                f"{file} has the columns {', '.join(names)}; valid are clip, frame (from 0) and "
                "anomalous (0 or 1)"
            )
        shown: dict[str, set[int]] = defaultdict(set)
        known: dict[str, int] = defaultdict(int)
        for row in rows:
            name = Path(row[clip]).stem.casefold()
            try:
                frame, unusual = int(row["frame"]), float(row[flag]) > 0
            except (TypeError, ValueError) as error:
                raise ManifestError(f"{file}, line {rows.line_num}: {error}") from error
            if not 0 <= frame < _MOST_FRAMES:
                raise ManifestError(f"{file}, line {rows.line_num}: there is no frame {frame}")
            known[name] = max(known[name], frame + 1)
            shown[name] |= {frame} if unusual else set()
    for path in tests:
        if count := known.get(path.stem.casefold()):
            flags_F = np.zeros(count, np.bool_)
            flags_F[list(shown[path.stem.casefold()])] = True
            yield path, flags_F


def _by_name(file: Path) -> tuple[list[str | int], str]:
    return natural_key(file.name)
