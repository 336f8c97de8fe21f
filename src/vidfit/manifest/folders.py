"""Layouts that are told by folders: ``class/clip.mp4``, ``split/class/clip.mp4``, frames."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.manifest.names import (
    is_image,
    is_junk,
    is_text,
    is_video_file,
    natural_key,
    split_word,
)
from vidfit.manifest.value import Listing, absolute

WRAPPERS = frozenset({"videos", "video", "clips", "data", "videos_ori", "rawframes"})
"""Folder names that wrap a data set and are no classes."""


@dataclass(frozen=True)
class Entries:
    """What one folder holds, in natural order, without known junk."""

    folders: tuple[Path, ...]
    videos: tuple[Path, ...]
    images: tuple[Path, ...]
    others: tuple[Path, ...]


def list_folder(folder: Path) -> Entries:
    """Sort the entries of a folder into folders, videos, images and others."""
    kinds: dict[str, list[Path]] = {"folders": [], "videos": [], "images": [], "others": []}
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: natural_key(entry.name))
    for entry in found:
        if entry.is_dir():
            kind = "folders"
        elif is_video_file(Path(entry.path)):
            kind = "videos"
        else:
            kind = "images" if is_image(entry.name) else "others"
        hidden = entry.name.startswith(".") or entry.name.lower() == "__macosx"
        if not hidden and not (kind == "others" and is_junk(entry.name)):
            kinds[kind].append(folder / entry.name)
    return Entries(**{kind: tuple(paths) for kind, paths in kinds.items()})


def read_folders(root: Path) -> Listing:
    """List the clips of a folder by the layout that its sub-folders show.

    Understood are ``class/clip.mp4``, ``class/recording/clip.mp4``, folders of frames in
    place of videos, each of these below ``train``, ``val`` and ``test``, and loose videos
    (clips without labels).
    """
    top = list_folder(root)
    splits = [split_word(folder.name) for folder in top.folders]
    if "train" in splits and not top.videos:
        return _read_splits(root, top)
    if [folder.name.lower() for folder in top.folders][1:] == [] and not top.videos:
        for folder in top.folders:
            if folder.name.lower() in WRAPPERS and list_folder(folder).folders:
                return read_folders(folder)
    listing = Listing(root, "a folder for each class")
    _read_classes(root, None, listing)
    if listing.clips:
        _reject_loose(top, listing, "lies outside the class folders")
    else:
        listing = _read_unlabelled(root, top, listing)
    return listing


def _read_splits(root: Path, top: Entries) -> Listing:
    listing = Listing(root, "a folder for each split, and in it one for each class")
    for folder in top.folders:
        split = split_word(folder.name)
        if split is None:
            listing.reject(folder, "lies beside the folders train, val and test")
            continue
        _read_classes(folder, split, listing)
        _reject_loose(list_folder(folder), listing, "lies outside the class folders")
    return listing


def _read_classes(root: Path, split: str | None, listing: Listing) -> None:
    for folder in list_folder(root).folders:
        label = folder.name.strip()
        seen = {folder.resolve()}
        entries = list_folder(folder)
        before = len(listing.clips)
        _read_class(entries, Clip("", label=label, split=split), listing, seen)
        if entries.images and len(listing.clips) > before:
            _reject_images(folder, len(entries.images), listing)


def _read_class(entries: Entries, like: Clip, listing: Listing, seen: set[Path]) -> None:
    for path in entries.videos:
        _add(path, like, listing)
    for path in entries.others:
        listing.reject(path, f"not a video by its suffix {path.suffix!r}")
    for folder in entries.folders:
        if folder.resolve() in seen:
            continue
        inner = list_folder(folder)
        if inner.images and not inner.videos and not inner.folders:
            _add(folder, like, listing)
            continue
        if inner.images:
            _reject_images(folder, len(inner.images), listing)
        _read_class(inner, like, listing, seen | {folder.resolve()})


def _add(path: Path, like: Clip, listing: Listing) -> None:
    full = absolute(path)
    if is_text(full):
        listing.clips.append(Clip(full, label=like.label, split=like.split))
    else:
        name = full.encode("utf-8", "backslashreplace").decode()
        listing.reject(name, "its name is not valid UTF-8; rename the file")


def _reject_images(folder: Path, count: int, listing: Listing) -> None:
    listing.reject(
        folder,
        f"{count} still images lie beside the clips; the frames of a clip belong in a "
        "folder of their own",
    )


def _reject_loose(entries: Entries, listing: Listing, reason: str) -> None:
    for path in entries.videos:
        listing.reject(path, reason)
    for path in entries.others:
        listing.reject(path, f"not a video by its suffix {path.suffix!r}")


def _read_unlabelled(root: Path, top: Entries, listing: Listing) -> Listing:
    """List loose videos, or folders of frames, as clips without labels."""
    listing.layout = "loose clips without labels"
    like = Clip("")
    for path in top.videos:
        _add(path, like, listing)
    for folder in top.folders:
        if list_folder(folder).images:
            _add(folder, like, listing)
    if top.images and not listing.clips:
        _add(root, like, listing)
    for path in top.others:
        listing.reject(path, f"not a video by its suffix {path.suffix!r}")
    return listing
