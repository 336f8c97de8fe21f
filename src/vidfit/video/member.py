"""Members of tar shards: ``/data/train-000000.tar::boxing/v1.mp4`` names a file inside a file.

The notation is ``ARCHIVE.tar::NAME``, where the archive is a local file or a URL. A name never
holds ``://``: what does is a chain of fsspec (``tar://a.mp4::s3://b/c.tar``), and stays one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from vidfit.errors import VideoError
from vidfit.video.archive import ByteRange, FilePart, is_remote, open_remote, read_span
from vidfit.video.contents import contents

_NOTATION = re.compile(r"(?P<archive>.+?\.tar)::(?P<name>.+)", re.DOTALL)
# `zip://a.tar::b.zip` is a chain: a.tar lies in b.zip.
_CHAINED = re.compile(r"(?:.*::)?(?:zip|tar|libarchive)://[^:]*")


def split_member(path: str) -> tuple[str, str] | None:
    """Return archive and name of a member of a shard; ``None`` for any other path."""
    match = _NOTATION.fullmatch(path)
    if not match or "://" in match["name"] or _CHAINED.fullmatch(match["archive"]):
        return None
    if _lies_here(path):
        return None
    return match["archive"], match["name"]


def is_url(path: str) -> bool:
    """Return whether ``path`` is one for fsspec (``s3://...``, ``simplecache::s3://...``).

    A member of a shard is one where the shard is.
    """
    member = split_member(path)
    return is_remote(member[0] if member else path) and not _lies_here(path)


def _lies_here(path: str) -> bool:
    """Whether a path that looks like another notation is the name of a file on this disk."""
    return "::" in path and "://" not in path and os.path.lexists(path)


def find(path: str) -> tuple[str, ByteRange, bool]:
    """Return a member's archive, where it is, and whether it is a folder of frames.

    Raises
    ------
    VideoError
        If the shard is missing, damaged, or holds no such member.
    """
    archive, name = split_member(path) or (path, "")
    inside = contents(archive)
    if name in inside.files:
        return archive, inside.files[name], False
    if name in inside.folders:
        return archive, inside.folders[name], True
    why = inside.trouble or f"it holds {len(inside.files)} members and not this one"
    raise VideoError(f"{path}: cannot be found in the shard: {why}; shard the clips again")


def read_member(path: str) -> bytes:
    """Return the content of a member; of a folder of frames all of its members, with headers."""
    archive, span, _ = find(path)
    return read_span(archive, span)


def openable(path: str) -> tuple[FilePart, str | None]:
    """Return a member as an open file, and, in a local shard, FFmpeg's address of it."""
    archive, span, is_folder = find(path)
    if is_folder:
        raise VideoError(f"{path}: holds frames, not a video")
    if not span.size:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or download it again")
    if is_url(archive):
        return FilePart(open_remote(archive), span), None
    file = Path(archive)
    if file.stat().st_size < span.end:
        raise VideoError(f"{path}: the shard is cut short; copy it again, or shard the clips again")
    return FilePart(
        file.open("rb"), span
    ), f"subfile,,start,{span.start},end,{span.end},,:{file.absolute()}"
