"""What the levels of a folder tree stand for: splits, classes, recordings, or nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from vidfit.errors import ManifestError
from vidfit.manifest.entries import Entries, holds_clips, list_folder
from vidfit.manifest.names import split_word
from vidfit.manifest.told import listed

CLASS, RECORDING, SPLIT, ANY = "CLASS", "RECORDING", "SPLIT", "*"
ROLES = (CLASS, RECORDING, SPLIT, ANY)

WRAPPERS = frozenset({"videos", "video", "clips", "data", "videos_ori", "rawframes"})
"""Folder names that wrap a data set and are no classes."""

SHARED = 0.5
"""Folders hold the same sub-folders when such a share of these lies in more than one of them."""

_FILLERS = re.compile(r"[\W_]+|(?<=[a-z])(?=[\d])|(?<=t|n|l|v|g)(?=set$)", re.IGNORECASE)
_FILLER_WORDS = {"", "set", "data", "dataset", "videos", "video", "clips", "split", "folder"}
_COUNTED = re.compile(r"(?:[^\W\d_]+[\W_]*)*\d+(?:[\W_]*\d+)*")
_OF_RECORDINGS = re.compile(
    r"(?:person|people|subject|subj|sub|actor|user|participant|patient|player|camera|cam|view"
    r"|session|scene|site|room|day|date|video|vid|recording|rec|take|trial|sequence|seq|s|p)"
    r"[\W_]*\d+",
    re.IGNORECASE,
)
_OF_CLASSES = re.compile(
    r"(?:class|category|label|action|activity|gesture|event)[\W_]*\d+", re.IGNORECASE
)
_PIECE = re.compile(
    r"(?:.*[\W_])?(?:part|chunk|batch|vol|volume|disk|archive)[\W_]*\d+", re.IGNORECASE
)


@dataclass(frozen=True)
class Levels:
    """The role of each level of folders, from the top, and what to say about them.

    ``splits`` gives folders of the top level a split of their own, for layouts in which a test
    folder lies beside class folders; ``left_out`` folders are no classes.
    """

    roles: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[Path, str], ...] = ()
    beside: tuple[Path, ...] = ()


def written_levels(source: Path) -> tuple[Path, tuple[str, ...]] | None:
    """Split ``clips/RECORDING/CLASS`` into the folder and the roles of what lies in it."""
    roles: list[str] = []
    while source.name in ROLES and not source.exists():
        roles.insert(0, source.name)
        source = source.parent
    return (source, tuple(roles)) if CLASS in roles and source.is_dir() else None


def split_of_folder(name: str) -> str | None:
    """Return the split that a folder is for: ``Training set`` and ``test_videos``, too."""
    words = [word for word in _FILLERS.split(name.lower()) if word not in _FILLER_WORDS]
    return split_word(words[0]) if len(words) == 1 else None


def guess_levels(root: Path, folders: tuple[Path, ...], loose: bool) -> Levels:
    """Tell what the folders below ``root``, all of which hold clips, stand for.

    Raises
    ------
    ManifestError
        If the classes may be on either of two levels; it asks which, and says how to answer.
    """
    splits = [folder for folder in folders if split_of_folder(folder.name)]
    if splits and not loose:
        return _with_splits(splits, [folder for folder in folders if folder not in splits])
    if len(folders) > 1 and all(_PIECE.fullmatch(folder.name) for folder in folders):
        return Levels((ANY, CLASS))
    return _by_common_folders(root, folders)


def _with_splits(splits: list[Path], others: list[Path]) -> Levels:
    names = [split_of_folder(folder.name) for folder in splits]
    holders = [folder for folder in splits if _class_folders(folder)]
    if not others or (holders and "train" in names):
        reason = "lies beside the folders train, val and test"
        roles = (SPLIT, CLASS) if holders else (SPLIT,)
        return Levels(roles, left_out=tuple((folder, reason) for folder in others))
    classes = {folder.name for folder in others}
    if holders and all({f.name for f in _class_folders(folder)} & classes for folder in splits):
        warning = f"{listed([f.name for f in splits])} lies beside the classes and holds the same: "
        return Levels((CLASS,), (warning + "read as a split.",), beside=tuple(splits))
    if names in (["train"], ["val"]):
        warning = f"The folder {splits[0].name} is read as a class: it is the only split."
        return Levels((CLASS,), (warning,))
    reason = (
        "its folder is named like a split and lies beside class folders; rename it if it is a class"
    )
    return Levels((CLASS,), left_out=tuple((folder, reason) for folder in splits))


def _by_common_folders(root: Path, folders: tuple[Path, ...]) -> Levels:
    """Find the level of the classes where all folders hold the same sub-folders."""
    inner: list[Entries] = []
    for folder in folders:
        entries = list_folder(folder)
        if entries.videos:
            return Levels((CLASS,))
        inner.append(entries)
    names = [{sub.name for sub in _with_clips(entries)} for entries in inner]
    counts = Counter(chain.from_iterable(names))
    shared = sum(count > 1 for count in counts.values())
    if shared < 2 or shared < SHARED * len(counts):
        return Levels((CLASS,))
    union = sorted(counts)
    if all(map(split_of_folder, union)):
        return Levels((CLASS, SPLIT))
    outer = [folder.name for folder in folders]
    if _all(_OF_CLASSES, outer) or (_all(_COUNTED, union) and not _all(_OF_RECORDINGS, outer)):
        return Levels((CLASS,))
    if _all(_OF_RECORDINGS, outer) and (_all(_OF_CLASSES, union) or not _all(_COUNTED, union)):
        return Levels((RECORDING, CLASS))
    if all(list_folder(sub).is_frames for entries in inner for sub in entries.folders):
        return Levels((CLASS,))
    raise ManifestError(
        f"Are {listed(outer, 3)} the classes, or "
        f"{listed(union, 3)}? Each of the former holds the latter, under {root}. Say it in "
        f"place of the folder: {root}/{CLASS}/{RECORDING}, or {root}/{RECORDING}/{CLASS}"
    )


def _all(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    return all(map(pattern.fullmatch, names))


def _class_folders(folder: Path) -> list[Path]:
    return [sub for sub in _with_clips(list_folder(folder)) if not list_folder(sub).is_frames]


def _with_clips(entries: Entries) -> list[Path]:
    """Return sub-folders that hold clips or are one."""
    return [folder for folder in entries.folders if holds_clips(folder)]
