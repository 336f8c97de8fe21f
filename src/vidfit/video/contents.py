"""What a shard holds: read from its headers, once in each process.

Of a shard at a URL it is read from ``index.parquet`` beside it, which `vidfit shard` writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vidfit.errors import VideoError
from vidfit.files import read_parquet
from vidfit.video.archive import (
    BLOCK_BYTES,
    INDEX,
    ByteRange,
    blocks,
    is_remote,
    open_remote,
    parse_header,
    remote,
    unreadable,
)


@dataclass
class Contents:
    """What an archive holds.

    Parameters
    ----------
    files
        Where the content of each member is.
    folders
        Where all members of a folder are, headers included; they stand side by side.
    digests
        sha256 of members, where the index says it.
    trouble
        Why reading stopped before the end, or nothing.
    """

    files: dict[str, ByteRange] = field(default_factory=dict)
    folders: dict[str, ByteRange] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


def contents(archive: str) -> Contents:
    """Return what a shard holds; read once, and again when a local one has changed.

    Raises
    ------
    VideoError
        If there is no such shard, or it is no tar.
    """
    return _contents(archive, _stamp(archive))


def _stamp(archive: str) -> tuple[int, int]:
    if is_remote(archive):
        return (0, 0)
    try:
        facts = Path(archive).stat()
    except (OSError, ValueError) as error:
        raise unreadable(archive, error) from error
    return facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=256)
def _contents(archive: str, stamp: tuple[int, int]) -> Contents:
    if not is_remote(archive):
        try:
            with open(archive, "rb", buffering=0) as stream:  # noqa: PTH123
                number = stream.fileno()
                return _scanned(lambda at, size: os.pread(number, size, at), archive, stamp[0])
        except OSError as error:  # such as a folder of this name
            raise unreadable(archive, error) from error
    folder, _, name = archive.rpartition("/")
    if name in (indexed := _indexed(folder)):
        return indexed[name]
    return _scanned(remote(archive), archive, None)


@lru_cache(maxsize=64)
def _indexed(folder: str) -> dict[str, Contents]:
    """Return by shard what the index of a folder says; nothing where there is none."""
    import pyarrow as pa

    columns = ["shard", "member", "offset", "bytes", "content_bytes", "content", "frames"]
    try:
        with open_remote(f"{folder}/{INDEX}") as stream:
            table = read_parquet(pa.BufferReader(stream.read()), columns)
    except (VideoError, pa.ArrowException, OSError, ValueError):
        return {}
    found: dict[str, Contents] = {}
    for row in table.to_pylist():
        inside = found.setdefault(row["shard"], Contents())
        inside.digests[row["member"]] = row["content"]
        if row["frames"]:
            inside.folders[row["member"]] = ByteRange(row["offset"], row["bytes"])
        else:
            start = row["offset"] + BLOCK_BYTES
            inside.files[row["member"]] = ByteRange(start, row["content_bytes"])
    return found


def _scanned(read: Callable[[int, int], bytes], archive: str, size_bytes: int | None) -> Contents:
    """Read the headers of a tar; what lies beyond damage is missing, and is missed when wanted."""
    found = Contents()
    try:
        for name, header, span in _headers(read):
            if size_bytes is not None and span.end > size_bytes:
                raise ValueError(f"the shard is cut short at {size_bytes} bytes")
            found.files[name] = span
            parent = name.rpartition("/")[0]
            first = found.folders.get(parent, ByteRange(header, 0)).start
            found.folders[parent] = ByteRange(first, span.start + blocks(span.size) - first)
    except ValueError as error:
        if not found.files:
            raise VideoError(f"{archive}: {error}; shard the clips again") from error
        found.trouble = str(error)
    return found


def _headers(read: Callable[[int, int], bytes]) -> Iterator[tuple[str, int, ByteRange]]:
    at = 0
    while (block := read(at, BLOCK_BYTES)).strip(b"\0"):
        name, size = parse_header(block, at)
        yield name, at, ByteRange(at + BLOCK_BYTES, size)
        at += BLOCK_BYTES + blocks(size)
    if len(block) < BLOCK_BYTES:
        raise ValueError(f"the shard is cut short at {at + len(block)} bytes")
