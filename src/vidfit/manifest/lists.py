"""Tables and lists in a folder: names of numbered classes, split lists, UCF101, Kinetics."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePath

from vidfit.contracts import Clip, Failure, clip_key, is_words
from vidfit.errors import ManifestError
from vidfit.manifest.entries import folders_in, holds_clips, list_folder
from vidfit.manifest.label_kinds import settle_kind
from vidfit.manifest.labels import settle_labels
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES, split_of_list
from vidfit.manifest.roots import FOLDERS_TRIED, SAMPLE
from vidfit.manifest.rows import ClipList, LostRow, open_rows
from vidfit.manifest.shards import holds_shards
from vidfit.manifest.sheets import encoding_of
from vidfit.manifest.told import listed
from vidfit.manifest.value import Listing, is_there, is_url
from vidfit.video.member import split_member
from vidfit.video.names import natural_key

NAME_FILES = ("label_map.txt", "labels.txt", "classes.txt", "class_names.txt")
OWN_TABLES = ("clips.csv", "manifest.csv", "clips.parquet", "manifest.parquet")

_UCF_CLASSES = "classInd.txt"
_UCF_LISTS = (("train", "trainlist01.txt"), ("test", "testlist01.txt"))

Lists = tuple[tuple[str | None, Path], ...]
"""Tables or lists, each with the split that it is for."""


def read_lines(path: Path) -> list[str]:
    """Return the stripped lines of a text file, without empty ones and comments.

    Raises
    ------
    ManifestError
        If it is not UTF-8, nor UTF-16 with a mark.
    """
    text = path.read_text(encoding=encoding_of(path, table=False))
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def lists_of(folder: Path) -> Lists:
    """Return the tables or lists that say what a folder holds; none where its folders do."""
    for name in OWN_TABLES:
        if (folder / name).is_file():
            return ((None, folder / name),)
    if holds_shards(folder):
        return ()
    ucf = _ucf_folder(folder)
    if ucf:
        return tuple((split, ucf / name) for split, name in _UCF_LISTS if (ucf / name).is_file())
    return _split_lists(folder) or _labelled_table(folder)


def read_lists(folder: Path, lists: Lists) -> Listing:
    """Read the tables or lists of a folder as one; those of UCF101 with the names of classes.

    Raises
    ------
    ManifestError
        If one cannot be read, or none of the files that they name is there.
    """
    whole = Listing(folder, "")
    opened = [open_rows(path, split) for split, path in lists]
    if not any(rows.found for rows in opened) and any(split for split, _ in lists):
        names = ", ".join(path.name for _, path in lists)
        raise ManifestError(f"None of the files that {names} name is in {folder} or beside it.")
    for rows, (_, path) in zip(opened, lists, strict=True):
        _take(rows, path.parent, whole)
    whole.layout = " and ".join(rows.layout for rows in opened)
    classes = _ucf_names(lists[0][1].parent)
    if classes:
        whole.clips = [_with_name(clip, classes) for clip in whole.clips]
        if (lists[0][1].parent / "trainlist02.txt").is_file():
            whole.warnings.append("Only the first of several train/test lists is used.")
    settle_labels(whole)
    settle_kind(whole)
    return whole


def read_list(path: Path) -> Listing:
    """Read a table or a list; numbers become names when a list of names lies beside it."""
    rows = open_rows(path)
    listing = Listing(path.parent, rows.layout)
    _take(rows, path.parent, listing)
    settle_labels(listing)
    settle_kind(listing)
    return listing


def _take(rows: ClipList, folder: Path, listing: Listing) -> None:
    """Add the clips of rows to a listing."""
    clips = []
    for row in rows:
        if isinstance(row, LostRow):
            listing.unread.append(Clip(row.path))
            listing.reject(row.name, row.reason)
        elif isinstance(row, Failure):
            listing.rejected.append(row)
        else:
            clips.append(row)
    names = {} if rows.kind else _class_names(folder, clips)
    named = (replace(c, label=names.get(c.label or "", c.label)) for c in clips)
    listing.clips += named if names else clips
    listing.missing += [failure for clip in clips if (failure := _missing(clip))]
    listing.warnings += rows.notes
    listing.grouping = listing.grouping or rows.grouping
    listing.kind = listing.kind or rows.kind


def _missing(clip: Clip) -> Failure | None:
    if is_url(clip.path) or is_words(clip.path) or split_member(clip.path) or is_there(clip.path):
        return None
    gone = os.path.islink(clip.path)  # noqa: PTH114  (Path raises for names that no file can have)
    reason = "a link to a file that is gone" if gone else "no such file; check the path"
    return Failure(clip_key(clip), reason)


def _class_names(folder: Path, clips: list[Clip]) -> dict[str, str]:
    """Return names for labels that are numbers, from ``label_map.txt`` and the like."""
    labels = {clip.label for clip in clips if clip.label is not None}
    if not labels or not all(label.isdecimal() for label in labels):
        return {}
    for parent in (folder, folder.parent):
        for name in NAME_FILES:
            if (parent / name).is_file():
                lines = read_lines(parent / name)
                names = {str(i): line for i, line in enumerate(lines)}
                return names if labels <= names.keys() else {}
    return {}


def _split_lists(folder: Path) -> Lists:
    """Return ``train.csv``, ``val.csv`` and the like with their splits; tables before lists."""
    files = sorted(
        (path for path in folder.iterdir() if path.is_file()),
        key=lambda path: natural_key(path.name),
    )
    for suffixes in (TABLE_SUFFIXES, LIST_SUFFIXES):
        found = [
            (split, path)
            for path in files
            if path.suffix.lower() in suffixes and (split := split_of_list(path.stem))
        ]
        if any(split == "train" for split, _ in found):
            order = ("train", "val", "test")
            return tuple(sorted(found, key=lambda item: order.index(item[0])))
    return ()


def _labelled_table(folder: Path) -> Lists:
    """Return the one table that gives labels to files that no class folders hold."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLE_SUFFIXES)
    found = [path for path in files if path.is_file() and _gives_labels(path)]
    if not found or len(list(islice(filter(holds_clips, list_folder(folder).folders), 2))) > 1:
        return ()
    if len(found) > 1:
        raise ManifestError(
            f"{listed([path.name for path in found])} all say what {folder} holds; give one of "
            "them in place of the folder"
        )
    return tuple((None, path) for path in found)


def _gives_labels(path: Path) -> bool:
    try:
        rows = open_rows(path)
    except ManifestError:
        return False
    return rows.found and any(isinstance(row, Clip) and row.label for row in islice(rows, SAMPLE))


def _ucf_folder(folder: Path) -> Path | None:
    """Return the folder with the lists of UCF101: this one, or one in it."""
    for candidate in (folder, *islice(folders_in(folder), FOLDERS_TRIED)):
        if all((candidate / name).is_file() for name in (_UCF_CLASSES, _UCF_LISTS[0][1])):
            return candidate
    return None


def _ucf_names(folder: Path) -> dict[str, str]:
    if not (folder / _UCF_CLASSES).is_file():
        return {}
    pairs = (line.partition(" ") for line in read_lines(folder / _UCF_CLASSES))
    return {number: name.strip() for number, _, name in pairs}


def _with_name(clip: Clip, names: dict[str, str]) -> Clip:
    """Name the class by its number, or by its folder: test lists bear no numbers."""
    if clip.label is None:
        return replace(clip, label=PurePath(clip.path).parent.name)
    return replace(clip, label=names.get(clip.label, clip.label))
