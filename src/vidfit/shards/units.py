"""From clips to what stands together in a shard, with names that every reader understands."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from vidfit.contracts import Clip, Failure, clip_key
from vidfit.errors import VideoError
from vidfit.manifest.value import common_folder, relative_name
from vidfit.shards.layout import Unit
from vidfit.shown import name_of, public
from vidfit.video import split_member
from vidfit.video.address import reach, reason_of
from vidfit.video.member import find
from vidfit.video.source import is_url

MOST_BYTES = 8**11 - 1
"""Of one member: the header of ustar has eleven octal digits for it."""

_NAME_BYTES, _PREFIX_BYTES = 100, 155
_LONGEST_END = len("/000000.json")


def units_of(clips: Sequence[Clip], by_frame: bool = False) -> tuple[list[Unit], list[Failure]]:
    """Return what is to be stored, and clips whose video cannot be.

    Parameters
    ----------
    clips
        In the order of their list.
    by_frame
        Whether each clip is stored by its frames; else a video is stored once for all its clips.
    """
    folder = common_folder(clip.path for clip in clips if not split_member(clip.path))
    keys = _Keys()
    several = _videos_of_several(clips)
    found: dict[str, tuple[int, int] | str] = {}
    units: list[Unit] = []
    failures = []
    for rows in _together(clips, several, by_frame):
        path = clips[rows[0]].path
        facts = found[path] if path in found else _looked_at(path, by_frame)
        if by_frame and path in several:
            found[path] = facts
        name = _name(path, folder)
        if isinstance(facts, str):
            named = (replace(clips[row], path=name) for row in rows)
            failures += [Failure(clip_key(clip), facts) for clip in named]
            continue
        end = f"-{clips[rows[0]].start_seconds:.3f}" if by_frame and path in several else ""
        key, suffix = keys.of(name, end)
        some = tuple(clips[row] for row in rows)
        units.append(Unit(key, path, name, sys.intern(suffix), some, rows, *facts))
    return units, failures


def _together(
    clips: Sequence[Clip], several: Mapping[str, list[int]], by_frame: bool
) -> Iterator[tuple[int, ...]]:
    """Yield the rows of each unit, in the order of their first."""
    for row, clip in enumerate(clips):
        rows = () if by_frame else several.get(clip.path, ())
        if not rows:
            yield (row,)
        elif rows[0] == row:
            yield tuple(rows)


def _videos_of_several(clips: Sequence[Clip]) -> dict[str, list[int]]:
    """Return the rows of the clips of each video that has several; most have one."""
    first: dict[str, int] = {}
    several: dict[str, list[int]] = {}
    for row, clip in enumerate(clips):
        if (found := first.setdefault(clip.path, row)) != row:
            several.setdefault(clip.path, [found]).append(row)
    return several


def _name(path: str, folder: str) -> str:
    """Return the name of a video below the folder of the clips, or in its shard."""
    member = split_member(path)
    return member[1] if member else public(relative_name(path, folder))


def _looked_at(path: str, by_frame: bool) -> tuple[int, int] | str:
    """Return size and time of change of a video, or why it cannot be stored."""
    try:
        size, stamp, is_folder = _facts(path)
    except VideoError as error:
        return str(error).removeprefix(f"{path}: ")
    except Exception as error:  # every fsspec backend has errors of its own
        return reason_of(error, path)
    if by_frame:
        return size, stamp
    if is_folder:
        return "is a folder of frames, not one file; shard it with --by frame"
    if not size:
        return "the file is empty (0 bytes); copy or download it again"
    if size > MOST_BYTES:
        return (
            f"has {size} bytes; a member of a tar has at most {MOST_BYTES}: cut it, or --by frame"
        )
    return size, stamp


def _facts(path: str) -> tuple[int, int, bool]:
    if split_member(path):
        _, span, is_folder = find(path)
        return span.size, 0, is_folder
    if is_url(path):
        system, inner = reach(path)
        facts: dict[str, Any] = system.info(inner)
        return int(facts["size"] or 0), 0, False
    file = Path(path)
    told = file.stat()
    return told.st_size, told.st_mtime_ns, file.is_dir()


class _Keys:
    """Names of samples: distinct, short enough for ustar, and without dots but in folders."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, name: str, end: str) -> tuple[str, str]:
        """Return the key of a sample and the suffix of its video.

        WebDataset takes a name's first dot for the start of its suffix, and skips ``__x__``.
        """
        path = PurePosixPath(re.sub(r"^[\w+.-]+://|\\", "/", name_of(name)))
        suffix = path.suffix if re.fullmatch(r"\.\w+", path.suffix) else ".bin"
        stem = f"{path.stem}{end}".replace(".", "_")
        parts = [part for part in (*path.parts[:-1], stem) if part.strip("/.")]
        key = re.sub(r"[\x00-\x1f\x7f]|::|^__", "_", "/".join(parts)) or "clip"
        if not _fits(key, suffix):
            key = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        number, free = 1, key
        while free in self._taken:
            number += 1
            free = f"{key}_{number}"
        self._taken.add(free)
        return free, suffix


def _fits(key: str, suffix: str) -> bool:
    """Return whether all names under a key have a place in a header of ustar."""
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return False
    more = max(_LONGEST_END, len(suffix.encode())) + 8  # and a number where two are alike
    if len(encoded) + more <= _NAME_BYTES:
        return True
    head, _, tail = encoded.rpartition(b"/")
    return len(head) <= _PREFIX_BYTES and len(head) > 0 and len(tail) + more <= _NAME_BYTES
