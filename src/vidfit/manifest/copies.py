"""Files with the same content under different labels: at most one of the labels is right."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.manifest.told import counted
from vidfit.manifest.value import Listing, is_url

_BLOCK_BYTES = 1 << 16
_LEAST_BYTES = 64
"""No video is smaller."""


def say_contradictions(listing: Listing) -> None:
    """Warn of files that lie, or are listed, in two classes; only those of one size are read."""
    whole = [c for c in listing.clips if c.label is not None and not c.start_seconds]
    same = [whole]
    for key in (_size, _edges, _content):
        same = [part for clips in same for part in _apart(clips, key)]
    if same:
        first = same[0]
        names = " and ".join(f"{clip.path} ({clip.label})" for clip in _of_two_labels(first))
        files = counted(len(same), "file lies", "files lie")
        listing.warnings.append(
            f"{files} under two labels, with the same content: {names}. Remove the wrong ones."
        )


def _apart(clips: Sequence[Clip], key: Callable[[Clip], Hashable]) -> Iterator[list[Clip]]:
    """Yield the clips that have one key and different labels."""
    of_key: dict[Hashable, list[Clip]] = defaultdict(list)
    for clip in clips:
        found = key(clip)
        if found is not None:
            of_key[found].append(clip)
    for group in of_key.values():
        if len({clip.label for clip in group}) > 1:
            yield group


def _size(clip: Clip) -> Hashable:
    """Return the bytes of a local file that may be a video, with the end of the clip."""
    if is_url(clip.path):
        return None
    try:
        facts = Path(clip.path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(facts.st_mode) or facts.st_size < _LEAST_BYTES:
        return None
    return facts.st_size, clip.end_seconds


def _edges(clip: Clip) -> Hashable:
    """Return the digest of the first and the last block."""
    with suppress(OSError), Path(clip.path).open("rb") as file:
        first = file.read(_BLOCK_BYTES)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _BLOCK_BYTES))
        return _digest([first, file.read()])
    return None


def _content(clip: Clip) -> Hashable:
    with suppress(OSError), Path(clip.path).open("rb") as file:
        return _digest(iter(partial(file.read, _BLOCK_BYTES), b""))
    return None


def _digest(blocks: Iterable[bytes]) -> Hashable:
    sha = hashlib.sha256()
    for block in blocks:
        sha.update(block)
    return sha.digest()


def _of_two_labels(clips: Sequence[Clip]) -> tuple[Clip, Clip]:
    other = next(clip for clip in clips if clip.label != clips[0].label)
    return clips[0], other
