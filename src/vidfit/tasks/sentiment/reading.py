"""Clips with their sentiment: the layout of MMSA, or any table or folder of clips.

MMSA, and with it MOSI, MOSEI and CH-SIMS::

    FOLDER/label.csv             video_id, clip_id, text, label, annotation, mode
    FOLDER/Raw/VIDEO/CLIP.mp4

A video has one speaker: it is the recording that splits never cut. Where the folder of videos is
not there, its clips are words alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import WORDS, Clip, Failure
from vidfit.errors import ManifestError
from vidfit.labels import A_NUMBER, ONE, Kind
from vidfit.manifest import Manifest, read_manifest
from vidfit.manifest.columns import is_number
from vidfit.manifest.names import split_word
from vidfit.shown import counted

TABLE, VIDEOS = "label.csv", "Raw"
_COLUMNS = ("video_id", "clip_id", "text", "label")
MOST = 3.0
"""The most positive number; the most negative is as far."""


def read(source: str | Path, groups: Path | None, kind: Kind | None) -> Manifest:
    """Read clips whose labels are numbers in [-3, 3], or classes.

    Raises
    ------
    ManifestError
        If the source cannot be understood, or a number is outside of it.
    """
    folder = Path(source)
    if (folder / TABLE).is_file() and (manifest := _read_mmsa(folder)) is not None:
        return manifest
    manifest = read_manifest(source, groups=groups)
    labels = [clip.label for clip in manifest.clips if clip.label is not None]
    if not labels or not all(map(is_number, labels)):
        return manifest
    _check_range(labels)
    return replace(manifest, kind=A_NUMBER)


def _check_range(labels: list[str]) -> None:
    outside = [label for label in labels if abs(float(label)) > MOST]
    if outside:
        raise ManifestError(
            f"{len(outside)} of {counted(len(labels), 'label')} lie outside [-3, 3], such as "
            f"{outside[0]}: "
            "sentiment is a number in it, or a class. Use --task regress for other numbers"
        )


def _read_mmsa(folder: Path) -> Manifest | None:
    """Read the layout of MMSA; ``None`` where the table is of another kind."""
    with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not set(_COLUMNS) <= set(rows.fieldnames or ()):
            return None
        found = list(_rows(rows, folder))
    clips = [one for one in found if isinstance(one, Clip)]
    rejected = [one for one in found if isinstance(one, Failure)]
    if not clips:
        raise ManifestError(f"{folder / TABLE} names no clip with a label")
    labels = [str(clip.label) for clip in clips]
    numbers = all(map(is_number, labels))
    if numbers:
        _check_range(labels)
    silent = sum(clip.path.startswith(WORDS) for clip in clips)
    lost = [
        f"{silent} of {counted(len(clips), 'clip')} without a video below {VIDEOS}: words alone."
    ]
    return Manifest(
        tuple(clips),
        grouping="one for each video, which has one speaker",
        warnings=tuple(lost if silent else ()),
        rejected=tuple(rejected),
        layout=f"MMSA ({TABLE}, {VIDEOS}/VIDEO/CLIP.mp4)",
        kind=A_NUMBER if numbers else ONE,
    )


def _rows(rows: csv.DictReader[str], folder: Path) -> Iterator[Clip | Failure]:
    for number, row in enumerate(rows, 1):
        video, part = (str(row[name] or "").strip() for name in ("video_id", "clip_id"))
        label = _label(row)
        if not video or not part or label is None:
            yield Failure(f"{TABLE}, row {number}", "lacks its video, its clip or its label")
            continue
        mode = str(row.get("mode") or "")
        yield Clip(
            _path(folder, video, part),
            label=label,
            group=video,
            split=split_word(mode),
            text=str(row["text"] or "").strip() or None,
        )


def _label(row: Mapping[str, str]) -> str | None:
    """Return the number, or where there is none the class."""
    number, name = (str(row.get(key) or "").strip() for key in ("label", "annotation"))
    return number or name.lower() or None


def _path(folder: Path, video: str, part: str) -> str:
    for name in (part, part.zfill(4)):
        file = folder / VIDEOS / video / f"{name}.mp4"
        if file.is_file():
            return str(file.absolute())
    return f"{WORDS}{video}/{part}"
