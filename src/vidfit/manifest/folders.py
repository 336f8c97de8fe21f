"""Layouts that are told by folders: ``class/clip.mp4``, ``split/class/clip.mp4``, frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.manifest.entries import Entries, holds_clips, is_own, list_folder, no_video
from vidfit.manifest.labels import alike
from vidfit.manifest.levels import (
    CLASS,
    RECORDING,
    SPLIT,
    WRAPPERS,
    Levels,
    guess_levels,
    split_of_folder,
)
from vidfit.manifest.names import is_text
from vidfit.manifest.photos import are_photos
from vidfit.manifest.told import counted, listed
from vidfit.manifest.value import Listing, absolute
from vidfit.video.names import is_flow


def read_folders(root: Path) -> Listing:
    """List the clips of a folder by the layout that its sub-folders show.

    Understood are ``class/clip.mp4``, ``class/recording/clip.mp4``, ``recording/class/clip.mp4``,
    photos or folders of frames in place of videos, each of these below ``train``, ``val`` and
    ``test``, and loose videos or photos (clips without labels).

    Raises
    ------
    ManifestError
        If the classes may be on either of two levels.
    """
    top = list_folder(root)
    listing = Listing(root, "")
    folders = _that_hold_clips(top.folders, listing)
    if len(folders) == 1 and not top.videos and _wraps(folders[0]):
        inner = read_folders(folders[0])
        inner.warnings[:0] = listing.warnings
        return inner
    levels = guess_levels(root, folders, bool(top.videos))
    return _read(replace(top, folders=folders), levels, listing, are_photos([root]))


def read_levels(root: Path, roles: tuple[str, ...]) -> Listing:
    """List the clips of a folder by the roles of its levels, as in ``RECORDING/CLASS``."""
    listing = Listing(root, "")
    top = list_folder(root)
    folders = _that_hold_clips(top.folders, listing)
    photos = RECORDING not in roles or are_photos([root])
    return _read(replace(top, folders=folders), Levels(roles), listing, photos)


def _read(top: Entries, levels: Levels, listing: Listing, photos: bool) -> Listing:
    said = list(listing.warnings)
    listing.warnings += levels.warnings
    for folder, reason in levels.left_out:
        other = _Reader(Listing(folder, ""), levels, photos)
        other.last(folder, list_folder(folder), Clip(""))
        for clip in other.listing.clips:
            listing.reject(clip.path, reason)
    out = {folder for folder, _ in levels.left_out}
    kept = tuple(folder for folder in top.folders if folder not in out)
    reader = _Reader(listing, levels, photos)
    reader.level(replace(top, folders=kept), levels.roles, Clip(""))
    if not listing.clips:
        loose = Listing(listing.root, "", warnings=said)
        return _read_unlabelled(replace(top, folders=kept), loose, photos)
    _reject_loose(top, listing, "lies outside the class folders")
    reader.finish()
    return listing


@dataclass
class _Reader:
    """Walks the levels of folders and lists the clips below the last one."""

    listing: Listing
    levels: Levels
    photos: bool = False
    classes: dict[str, str] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    with_flow: int = 0

    def level(self, entries: Entries, roles: tuple[str, ...], like: Clip) -> None:
        """Read the sub-folders of one level by its role."""
        for folder in entries.folders:
            if folder in self.levels.beside:
                split = split_of_folder(folder.name)
                self.level(list_folder(folder), roles, replace(like, split=split))
                continue
            named = self._named(folder.name, roles[0], like)
            inner = list_folder(folder)
            if len(roles) > 1:
                kept = _that_hold_clips(inner.folders, self.listing)
                self.level(replace(inner, folders=kept), roles[1:], named)
                _reject_loose(inner, self.listing, "lies outside the class folders")
            else:
                self.last(folder, inner, named)

    def finish(self) -> None:
        """Say what was read, and what was joined or left out on the way."""
        listing = self.listing
        roles = self.levels.roles
        listing.layout = "/".join([*roles, _ending(listing.clips)])
        if RECORDING in roles:
            listing.grouping = "from the folders"
        if self.joined:
            pairs = [f"{name!a} to {first!a}" for name, first in self.joined.items()]
            listing.warnings.append(
                f"Names of classes that look alike are joined: {listed(pairs)}."
            )
        if self.with_flow:
            listing.warnings.append(
                f"{counted(self.with_flow, 'folder')} of frames also hold images of optical flow "
                "(flow_x, flow_y); these are not read."
            )

    def _named(self, name: str, role: str, like: Clip) -> Clip:
        """Return the clip with what the name of a folder says of it."""
        if role == CLASS:
            label = name.strip()
            first = self.classes.setdefault(alike(label), label)
            if first != label:
                self.joined[label] = first
            return replace(like, label=first)
        if role == SPLIT:
            return replace(like, split=split_of_folder(name))
        return replace(like, group=name) if role == RECORDING else like

    def last(self, folder: Path, entries: Entries, like: Clip) -> None:
        """Read what lies below the last level."""
        if entries.is_frames and not self.photos and (like.group or like.label is None):
            self._add(folder, like, entries)
            return
        self._below(entries, like, {folder.resolve()})
        if entries.images and not self.photos:
            _reject_images(folder, len(entries.images), self.listing)

    def _below(self, entries: Entries, like: Clip, seen: set[Path]) -> None:
        for path in (*entries.videos, *(entries.images if self.photos else ())):
            self._add(path, like)
        for path in entries.others:
            self.listing.reject(path, no_video(path))
        for folder in entries.folders:
            if folder.resolve() in seen:
                continue
            inner = list_folder(folder)
            if inner.is_frames and not self.photos:
                self._add(folder, like, inner)
                continue
            if is_own(folder):
                self.listing.reject(folder, "written by vidfit")
                continue
            if inner.images and not self.photos:
                _reject_images(folder, len(inner.images), self.listing)
            self._below(inner, like, seen | {folder.resolve()})

    def _add(self, path: str | Path, like: Clip, frames: Entries | None = None) -> None:
        if frames is not None:
            flow = sum(is_flow(Path(image).name) for image in frames.images)
            self.with_flow += 0 < flow < len(frames.images)
        _add(path, like, self.listing)


def _that_hold_clips(folders: tuple[Path, ...], listing: Listing) -> tuple[Path, ...]:
    """Leave out folders without clips, those that vidfit wrote, and links to one beside them."""
    own = [folder for folder in folders if is_own(folder)]
    empty = [f for f in folders if f not in own and not holds_clips(f)]
    kept = [f for f in folders if f not in own and f not in empty]
    places: dict[Path, Path] = {}
    for folder in sorted(kept, key=lambda folder: folder.is_symlink()):
        places.setdefault(folder.resolve(), folder)
    links = [folder for folder in kept if places[folder.resolve()] is not folder]
    for names, why in (
        (own, "written by vidfit, not read"),
        (empty, "no video or image in it, so that it is no class"),
        (links, "a link to a folder beside it, read once"),
    ):
        if names:
            found = listed([folder.name for folder in names])
            word = "Folder" if len(names) == 1 else "Folders"
            listing.warnings.append(f"{word} {found}: {why}.")
    return tuple(folder for folder in kept if folder not in links)


def _wraps(folder: Path) -> bool:
    """Return whether a folder that lies alone wraps the data set, and is no class."""
    if folder.name.lower() in WRAPPERS:
        return True
    inner = [sub for sub in list_folder(folder).folders if holds_clips(sub)]
    classes = [sub for sub in inner if not list_folder(sub).is_frames]
    return len(classes) > 1 and not split_of_folder(folder.name)


def _ending(clips: list[Clip]) -> str:
    """Return ``*.mp4`` where all clips end so."""
    endings = {Path(clip.path).suffix.lower() for clip in clips[:1000]}
    return f"*{endings.pop()}" if len(endings) == 1 else "*"


def _add(path: str | Path, like: Clip, listing: Listing) -> None:
    full = absolute(path)
    if is_text(full):
        listing.clips.append(replace(like, path=full))
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
        listing.reject(path, no_video(path))


def _read_unlabelled(top: Entries, listing: Listing, photos: bool) -> Listing:
    """List loose videos and photos, or folders of frames, as clips without labels."""
    listing.layout = "loose clips"
    like = Clip("")
    for path in (*top.videos, *(top.images if photos else ())):
        _add(path, like, listing)
    for folder in top.folders:
        if list_folder(folder).images:
            _add(folder, like, listing)
    if top.images and not listing.clips:
        _add(listing.root, like, listing)
    for path in top.others:
        listing.reject(path, no_video(path))
    return listing
