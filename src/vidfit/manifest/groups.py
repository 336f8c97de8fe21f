"""Which clips were cut from one recording: told by a file, or guessed from names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from vidfit.errors import ManifestError
from vidfit.manifest.names import is_clip, is_image
from vidfit.manifest.photos import bursts
from vidfit.manifest.recordings import AUTOMATIC, Pairs, read_recordings
from vidfit.manifest.value import Listing, common_folder, relative_name
from vidfit.shown import counted, name_of, public

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidfit.contracts import Clip

_PIECE = r"(?:clip|part|segment|seg|shot|scene|chunk|cut|take)"


@dataclass(frozen=True)
class NamePattern:
    """A pattern of file stems; ``g`` is the recording, ``start`` and ``end`` times if any."""

    name: str
    pattern: re.Pattern[str]


RULES = tuple(
    NamePattern(name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("group and clip number, as in UCF101", r"(?:v_)?(?P<g>(?:.+_)?g\d+)_c\d+"),
        ("a person's number", r"(?P<g>(?:person|subject|actor)[_-]?\d+)[_-].+"),
        ("a YouTube id and times", r"(?P<g>[\w-]{11})_(?P<start>\d{6})_(?P<end>\d{6})"),
        ("start and end", r"(?P<g>.+?)[_-](?P<start>\d+(?:\.\d+)?)[_-](?P<end>\d+(?:\.\d+)?)"),
        ("a clip number", rf"(?P<g>.+?)[ _.-]*{_PIECE}[ _.-]*\d+"),
        ("a clip number", r"(?P<g>.+?)[_-][cp]\d+"),
        ("a number in brackets", r"(?P<g>.+?) ?\(\d+\)"),
        ("a trailing counter", r"(?P<g>.+?)[ _-]\d+"),
    )
)
"""Patterns of file stems, the most telling first."""

MATCHED_SHARE = 0.5


def assign_groups(listing: Listing, mapping: Path | None) -> list[Clip]:
    """Give each clip its recording; how is put down in ``listing.grouping``.

    A mapping that was passed comes first, then a column, a mapping file in the folder,
    folders of recordings, file names. Spans of one video always belong together.

    Raises
    ------
    ManifestError
        If the mapping that was passed names none of the clips.
    """
    groups: list[str | None] = [clip.group for clip in listing.clips]
    if mapping is not None:
        groups = _apply(read_recordings(mapping), mapping, groups, listing)
    elif not any(groups):
        groups = (
            _found_mapping(listing)
            or _by_folder(listing)
            or _by_time(listing)
            or _by_name(listing)
            or groups
        )
    listing.grouping = listing.grouping or (
        "none found: every video counts as a recording of its own"
    )
    return _complete(listing, groups)


def union(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join names that are paired, directly or through others, to the first named of each set.

    Parameters
    ----------
    items
        Pairs of names that belong together.

    Returns
    -------
    dict
        The representative of every name that occurs.
    """
    parent: dict[str, str] = {}
    order: dict[str, int] = {}

    def root(name: str) -> str:
        order.setdefault(name, len(order))
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for first, second in items:
        low, high = sorted((root(first), root(second)), key=order.__getitem__)
        parent[high] = low
    return {name: root(name) for name in list(parent)}


def _apply(
    pairs: Pairs, path: Path, groups: Sequence[str | None], listing: Listing
) -> list[str | None]:
    """Look the clips up in a mapping; recordings that share a clip are joined."""
    recordings: dict[str, str] = {}
    shared: list[tuple[str, str]] = []
    twice: list[str] = []
    for name, recording in pairs:
        first = recordings.setdefault(_plain(name), recording)
        if first != recording:
            shared.append((first, recording))
            twice.append(name)
    joined = union(shared)
    found = [_look_up(clip.path, listing.root, recordings) for clip in listing.clips]
    named = sum(group is not None for group in found)
    if not named:
        raise ManifestError(
            f"{path} names none of the {counted(len(found), 'clip')}. Name them by file name, e.g. "
            f"{PurePath(name_of(listing.clips[0].path)).name!r}."
        )
    here = {joined.get(group) for group in found if group is not None}
    if twice := [name for name in twice if joined[recordings[_plain(name)]] in here]:
        listing.warnings.append(
            f"{path.name} gives {', '.join(twice[:5])} to more than one recording; "
            "those recordings count as one."
        )
    if named < len(found):
        listing.warnings.append(
            f"{path.name} does not name {len(found) - named} of {counted(len(found), 'clip')}, "
            "e.g. "
            f"{PurePath(name_of(listing.clips[found.index(None)].path)).name!r}."
        )
    listing.grouping = f"from {path.name}"
    return [
        old if new is None else joined.get(new, new) for old, new in zip(groups, found, strict=True)
    ]


def _plain(name: str) -> str:
    """Return a clip's name as it is compared: without suffix, case and form of accents."""
    name = name_of(name)
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).casefold().removeprefix("./")
    return name.removesuffix(PurePath(name).suffix) if is_clip(name) else name


def _look_up(path: str, root: Path, recordings: dict[str, str]) -> str | None:
    """Find a clip by its path, then by shorter and shorter ends of it."""
    relative = PurePath(relative_name(path, str(root.absolute())))
    tails = [path, *("/".join(relative.parts[i:]) for i in range(len(relative.parts)))]
    return next((recordings[tail] for tail in map(_plain, tails) if tail in recordings), None)


def _found_mapping(listing: Listing) -> list[str | None] | None:
    """Use a mapping file that lies in the folder, if it fits at least half of the clips."""
    none: list[str | None] = [None] * len(listing.clips)
    for name in AUTOMATIC:
        path = listing.root / name
        if not path.is_file():
            continue
        trial = replace(listing, warnings=[])
        try:
            groups = _apply(read_recordings(path), path, none, trial)
        except ManifestError as error:
            listing.warnings.append(f"{name} does not say which clips belong together: {error}")
            continue
        if sum(group is not None for group in groups) >= MATCHED_SHARE * len(groups):
            listing.warnings += trial.warnings
            listing.grouping = f"from {name}, found in the folder"
            return groups
    return None


def _by_folder(listing: Listing) -> list[str | None] | None:
    """Take ``class/recording/clip.mp4`` as recordings, if every clip lies so."""
    root = str(listing.root.absolute())
    parents = [PurePath(relative_name(clip.path, root)).parts[:-1] for clip in listing.clips]
    depth = 2 + any(clip.split for clip in listing.clips)
    if not all(
        len(parts) >= depth and clip.label in parts[:-1]
        for parts, clip in zip(parents, listing.clips, strict=True)
    ):
        return None
    groups = ["/".join(parts) for parts in parents]
    if not _credible(groups, listing.clips):
        return None
    listing.grouping = f"guessed from folders, e.g. {groups[0]!r}"
    return list(groups)


def _by_time(listing: Listing) -> list[str | None] | None:
    """Take photos that follow one another within a minute as one recording."""
    names = [name_of(clip.path) for clip in listing.clips]
    if not all(map(is_image, names)):
        return None
    groups = bursts([PurePath(name) for name in names])
    if sum(group is not None for group in groups) < MATCHED_SHARE * len(groups):
        return None
    whole = [group or name for group, name in zip(groups, names, strict=True)]
    if not _credible(whole, listing.clips):
        return None
    listing.grouping = "guessed from the times of photos: within a minute is one recording"
    return groups


def _by_name(listing: Listing) -> list[str | None] | None:
    """Take the first rule of names that gives credible recordings."""
    stems = [PurePath(name_of(clip.path)).stem for clip in listing.clips]
    for rule in RULES:
        named = _named_by(rule, stems)
        if sum(map(bool, named)) < MATCHED_SHARE * len(stems):
            continue
        groups = [
            _qualified(name, clip) if name else None
            for name, clip in zip(named, listing.clips, strict=True)
        ]
        whole = [group or clip.path for group, clip in zip(groups, listing.clips, strict=True)]
        if _credible(whole, listing.clips):
            i = next(i for i, group in enumerate(groups) if group)
            name = PurePath(name_of(listing.clips[i].path)).name
            listing.grouping = (
                f"guessed from file names ({rule.name}), e.g. {name!r} -> {groups[i]!r}"
            )
            return groups
    return None


def _qualified(group: str, clip: Clip) -> str:
    """Add the class to a bare ``g08``: such numbers start anew in each class."""
    bare = re.fullmatch(r"g\d+", group, re.IGNORECASE)
    return f"{clip.label}_{group}" if bare and clip.label else group


def _named_by(rule: NamePattern, stems: Iterable[str]) -> list[str | None]:
    """Return the recordings that a rule tells; none where what it takes for times are counters."""
    named: list[str | None] = []
    for stem in stems:
        match = rule.pattern.fullmatch(stem)
        times = match and "end" in match.re.groupindex
        if match and times and float(match["end"]) <= float(match["start"]):
            return []
        named.append(match["g"] if match else None)
    return named


def _credible(groups: Sequence[str], clips: Sequence[Clip]) -> bool:
    """Return whether recordings hold several clips, and every class several recordings.

    A class that would be one recording shows that the names count the clips of the class.
    """
    spans = {(c.path, c.start_seconds) if c.start_seconds else c.path for c in clips}
    if not 2 <= len(set(groups)) < len(spans):
        return False
    of_class = defaultdict(set)
    for group, clip in zip(groups, clips, strict=True):
        of_class[clip.label].add(group)
    sizes = Counter(clip.label for clip in clips)
    return all(len(found) > 1 for label, found in of_class.items() if sizes[label] > 1)


def _complete(listing: Listing, groups: Sequence[str | None]) -> list[Clip]:
    """Name the rest after their videos, and join the recordings that share a video."""
    clips = listing.clips
    folder = common_folder(clip.path for clip in clips)
    whole = [
        public(relative_name(clip.path, folder)) if group is None else group
        for clip, group in zip(clips, groups, strict=True)
    ]
    first: dict[str, str] = {}
    joined = union(
        (first.setdefault(clip.path, group), group)
        for clip, group in zip(clips, whole, strict=True)
    )
    merged = sum(name != other for name, other in joined.items())
    if merged:
        listing.warnings.append(
            f"{merged} recordings share a video file with another one; they count as one."
        )
    named = [joined[group] for group in whole]
    listing.grouping += (
        f": {counted(len(set(named)), 'recording')} of {counted(len(clips), 'clip')}"
    )
    return [
        clip if clip.group == group else replace(clip, group=group)
        for clip, group in zip(clips, named, strict=True)
    ]
