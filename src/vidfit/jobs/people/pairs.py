"""Compare pairs of pictures: files of pairs as LFW has them, or a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.backbones import load
from vidfit.backbones.faces.window import seen_by
from vidfit.contracts import Failure, Floats
from vidfit.errors import ManifestError, NotEnoughDataError, VideoError
from vidfit.jobs.people.value import PairFigures
from vidfit.metrics.identities import TrueAccepts, ten_fold_accuracy
from vidfit.metrics.measures import RankedScores
from vidfit.progress import SILENT, Progress
from vidfit.runtime import accelerate
from vidfit.study.consent import check_consent
from vidfit.tasks.faces import TASK
from vidfit.tasks.faces.gallery import mean_direction
from vidfit.tasks.faces.pictures import only_face, picture_of

FOLDS = 10


@dataclass(frozen=True)
class PicturePair:
    """Two pictures, whether they are of one person, and the fold they are compared in."""

    first: str
    second: str
    same: bool
    fold: int


def run_pairs(
    file: Path,
    pictures: Path | None = None,
    *,
    consent: str | None,
    backbone: str = "dlib-face",
    progress: Progress = SILENT,
) -> PairFigures:
    """Compare pairs of pictures by one encoder; those without one face are listed.

    Parameters
    ----------
    file
        ``pairs.txt`` of LFW, or a CSV with the columns ``file_x``, ``file_y`` and ``same``.
    pictures
        Folder that pictures are named in; that of the file where it is not given.
    consent
        To what the people agreed.

    Raises
    ------
    ConsentError
        If it is not said to what they agreed.
    ManifestError
        If the file cannot be read.
    NotEnoughDataError
        If too few pairs can be compared.
    """
    purpose = check_consent(TASK, consent)
    pairs = read_pairs(file, pictures or file.parent)
    encoder = accelerate(load(backbone))

    def vector(path: str) -> Floats:
        face = only_face(picture_of(path)).aligned_HWC
        return mean_direction(encoder.forward(seen_by(encoder, face)[None])[0])

    vectors, failures = _each(sorted({p for one in pairs for p in (one.first, one.second)}),
                              vector, progress)  # fmt: skip
    used = [one for one in pairs if one.first in vectors and one.second in vectors]
    same_P = np.array([one.same for one in used], np.bool_)
    if len(used) < FOLDS or not 0 < same_P.sum() < len(used):
        raise NotEnoughDataError(
            f"{len(used)} of {len(pairs)} pairs can be compared; {FOLDS} or more are needed, some "
            "of one person and some of two"
        )
    scores_P = np.array([float(vectors[o.first] @ vectors[o.second]) for o in used], np.float64)
    folds_P = np.array([one.fold for one in used], np.int64)
    accuracy, error = ten_fold_accuracy(scores_P, same_P, folds_P)
    rows = RankedScores(scores_P[:, None], same_P[:, None], np.zeros(len(used), np.int64))
    accepted_at_1, accepted_at_01 = (
        float(TrueAccepts("", share).figure(rows, np.ones((1, 1)))[0]) for share in (0.01, 0.001)
    )
    return PairFigures(
        pairs=len(used),
        same=int(same_P.sum()),
        accuracy=accuracy,
        standard_error=error,
        folds=len(np.unique(folds_P)),
        accepted_at_1=accepted_at_1,
        accepted_at_01=accepted_at_01,
        failures=tuple(failures),
        consent=purpose,
    )


def read_pairs(file: Path, pictures: Path) -> tuple[PicturePair, ...]:
    """Return the pairs of a file.

    The folds of LFW are its own, and hold different people. Rows of a table are dealt to ten folds
    as they come, which may share people: their standard error is then too small.

    Raises
    ------
    ManifestError
        If it is not understood, or names no pair.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{file} cannot be read: {error}") from error
    is_table = file.suffix.lower() == ".csv"
    found = _of_table(file, text, pictures) if is_table else _of_lfw(file, text, pictures)
    if not found:
        raise ManifestError(f"{file} names no pair of pictures")
    return tuple(found)


def _of_table(file: Path, text: str, pictures: Path) -> list[PicturePair]:
    rows = csv.DictReader(text.splitlines())
    if not {"file_x", "file_y", "same"} <= set(rows.fieldnames or ()):
        raise ManifestError(f"{file} has other columns than file_x, file_y and same (1 or 0)")
    found: list[PicturePair] = []
    for row in rows:
        if row["same"] not in ("0", "1"):
            raise ManifestError(
                f"{file}, line {rows.line_num}: same is {row['same']!r}, not 0 or 1"
            )
        first, second = (str(pictures / row[name]) for name in ("file_x", "file_y"))
        found.append(PicturePair(first, second, row["same"] == "1", len(found) % FOLDS))
    return found


def _of_lfw(file: Path, text: str, pictures: Path) -> list[PicturePair]:
    head, *lines = [line.split() for line in text.splitlines() if line.strip()] or [[]]
    if not head or len(head) > 2 or not all(part.isdecimal() for part in head):
        raise ManifestError(f"{file} does not begin with folds and pairs, such as '10 300'")
    size = 2 * int(head[-1])
    found: list[PicturePair] = []
    for number, parts in enumerate(lines):
        fold = number // size if len(head) == 2 else number * FOLDS // len(lines)
        if len(parts) not in (3, 4):
            raise ManifestError(f"{file}, line {number + 2}: a pair is NAME I J or NAME I NAME J")
        names = (parts[0], parts[0]) if len(parts) == 3 else (parts[0], parts[2])
        counts = (parts[1], parts[-1])
        if not all(count.isdecimal() for count in counts):
            raise ManifestError(f"{file}, line {number + 2}: {' '.join(counts)} are no numbers")
        first, second = (
            str(pictures / name / f"{name}_{int(count):04d}.jpg")
            for name, count in zip(names, counts, strict=True)
        )
        found.append(PicturePair(first, second, len(parts) == 3, fold))
    return found


def _each(
    paths: list[str], vector: Callable[[str], Floats], progress: Progress
) -> tuple[dict[str, Floats], list[Failure]]:
    found, failures = dict[str, Floats](), list[Failure]()
    progress.start("look at pictures", len(paths))
    for path in paths:
        try:
            found[path] = vector(path)
        except VideoError as error:
            failures.append(Failure(path, str(error).removeprefix(f"{path}: ")))
        progress.advance()
    return found, failures
