"""Plain lists: ``path label``, ``folder total_frames label``, and the layout of UCF101."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest.names import is_video
from vidfit.manifest.roots import resolve_paths
from vidfit.manifest.value import Listing, is_url
from vidfit.video.member import split_member

NAME_FILES = ("label_map.txt", "labels.txt", "classes.txt", "class_names.txt")


@dataclass(frozen=True)
class Row:
    """One line of a list: the path as written, the label when there is one, frames or video."""

    path: str
    label: str | None
    frames: bool = False


def read_lines(path: Path) -> list[str]:
    """Return the stripped lines of a UTF-8 file, without empty ones and comments."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def parse_line(line: str) -> Row:
    """Read ``path label``, ``folder total_frames label`` or a path alone; paths may have spaces."""
    if is_video(line):
        return Row(line, None)
    head, _, last = line.rpartition(" ")
    if not head:
        raise ManifestError(f"{line!r} has no label; expected 'path label'")
    head = head.strip()
    if is_video(head):
        return Row(head, last)
    folder, _, total = head.rpartition(" ")
    if folder and total.isdecimal():
        if is_video(folder.strip()):
            raise ManifestError(f"{line!r} has several labels; expected one for each clip")
        return Row(folder.strip(), last, frames=True)
    return Row(head, last)


def read_list(path: Path, split: str | None = None) -> Listing:
    """Read a space-separated list; numbers become names when a list of names lies beside it."""
    listing = Listing(path.parent, f"the list {path.name}")
    rows = []
    for line in read_lines(path):
        try:
            rows.append(parse_line(re.sub(r"[\t,]", " ", line) if "\t" in line else line))
        except ManifestError as error:
            listing.reject(f"{path.name}: {line[:80]}", str(error))
    names = _class_names(path.parent, rows)
    paths = resolve_paths([row.path for row in rows], path.parent)
    for row, absolute in zip(rows, paths, strict=True):
        label = names.get(row.label, row.label) if row.label is not None else None
        add_clip(listing, Clip(absolute, label=label, split=split))
    return listing


def add_clip(listing: Listing, clip: Clip) -> None:
    """Add a listed clip, unless it can be neither a video nor a folder of frames."""
    known = is_url(clip.path) or is_video(clip.path) or split_member(clip.path)
    if known or Path(clip.path).exists():
        listing.clips.append(clip)
    else:
        listing.reject(clip.path, "no such folder of frames or file, and not a video by its suffix")


def _class_names(folder: Path, rows: list[Row]) -> dict[str, str]:
    """Return names for labels that are numbers, from ``label_map.txt`` and the like."""
    labels = {row.label for row in rows if row.label is not None}
    if not labels or not all(label.isdecimal() for label in labels):
        return {}
    for parent in (folder, folder.parent):
        for name in NAME_FILES:
            if (parent / name).is_file():
                lines = read_lines(parent / name)
                names = {str(i): line for i, line in enumerate(lines)}
                return names if labels <= names.keys() else {}
    return {}


def is_ucf(folder: Path) -> bool:
    """Return whether a folder has the lists of UCF101."""
    return (folder / "classInd.txt").is_file() and (folder / "trainlist01.txt").is_file()


def read_ucf(folder: Path) -> Listing:
    """Read ``classInd.txt`` and the first split, ``trainlist01.txt`` and ``testlist01.txt``."""
    names = {}
    for line in read_lines(folder / "classInd.txt"):
        number, _, name = line.partition(" ")
        names[number] = name.strip()
    listing = Listing(folder, "the lists of UCF101 (classInd.txt, trainlist01.txt, testlist01.txt)")
    for split in ("train", "test"):
        path = folder / f"{split}list01.txt"
        if path.is_file():
            part = read_list(path, split)
            listing.rejected += part.rejected
            listing.clips += [_with_name(clip, names) for clip in part.clips]
    if (folder / "trainlist02.txt").is_file():
        listing.warnings.append("Only the first of several train/test lists is used.")
    return listing


def _with_name(clip: Clip, names: dict[str, str]) -> Clip:
    """Name the class by its number, or by its folder: test lists bear no numbers."""
    if clip.label is None:
        return replace(clip, label=PurePath(clip.path).parent.name)
    return replace(clip, label=names.get(clip.label, clip.label))
