"""Many parts of a store in few files, and what is in them.

Layout, beside the parts that nobody has joined yet::

    pack-<random>.tar      parts, byte for byte as they were: ``tar xf`` gives them back
    pack-<random>.index    32 bytes: sha256 of the rest; a line of JSON with name, offset, bytes
                           and rows of each part; 8 bytes of each row's key, little endian

An index that is missing or damaged is made anew from its pack. When files are joined to packs
says `vidfit.features.joining`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.features.held import KEY_BYTES, Shorts, short_key
from vidfit.files import enough_memory, new_file, read_parquet, write_whole

_SHA_BYTES = 32
_NAME = re.compile(r"part-([0-9a-f]{32})\.parquet")


def part_name(content: bytes) -> str:
    """Return what a part is called: by its bytes."""
    return f"part-{hashlib.sha256(content).hexdigest()[:32]}.parquet"


@dataclass(frozen=True, slots=True)
class PackedPart:
    """A part in a pack: its name, where its bytes are, and how many rows it has."""

    name: str
    offset: int
    size: int
    rows: int


@dataclass(frozen=True)
class Pack:
    """A pack as its index tells it: parts that were found damaged are left out of it.

    Parameters
    ----------
    path
        Of the tar.
    short_R
        Of the keys of all rows, in the order of the parts (`short_key`).
    """

    path: Path
    parts: tuple[PackedPart, ...]
    short_R: Shorts

    @classmethod
    def open(cls, path: Path) -> Pack:
        """Read the index of a pack; make it anew where it is missing or damaged.

        Raises
        ------
        FileNotFoundError
            If the pack is gone.
        StoreError
            If the system refuses to read it.
        """
        with suppress(FileNotFoundError, ValueError), reading(path):
            content = path.with_suffix(".index").read_bytes()
            return cls(path, *_parsed(content))
        pack = _scanned(path)
        with suppress(StoreError):  # it is made anew the next time, too
            pack.write_index()
        return pack

    @property
    def has_more(self) -> bool:
        """Whether the tar holds bytes of parts that were left out."""
        told = sum(tarfile.BLOCKSIZE + _blocks(part.size) for part in self.parts)
        return self.path.stat().st_size > told + 2 * tarfile.BLOCKSIZE

    def contents(self, but: Container[str] = ()) -> Iterator[tuple[PackedPart, bytes | None]]:
        """Yield parts with their bytes, ``None`` where these are not what the name says.

        Parameters
        ----------
        but
            Names of parts that are passed over.

        Raises
        ------
        FileNotFoundError
            If the pack is gone.
        StoreError
            If the system refuses to read it.
        """
        with reading(self.path), self.path.open("rb") as stream:
            for part in self.parts:
                if part.name not in but:
                    content = _bytes(stream, part.offset, part.size)
                    yield part, content if part_name(content) == part.name else None

    def without(self, names: Container[str]) -> Pack:
        """Leave parts out of the index: their rows are computed again.

        Raises
        ------
        StoreError
            If the index cannot be written.
        """
        ends = np.cumsum([part.rows for part in self.parts])
        kept = [i for i, part in enumerate(self.parts) if part.name not in names]
        rows = [self.short_R[ends[i] - self.parts[i].rows : ends[i]] for i in kept]
        short_R = np.concatenate([np.zeros(0, np.uint64), *rows])
        left = replace(self, parts=tuple(self.parts[i] for i in kept), short_R=short_R)
        left.write_index()
        return left

    def write_index(self) -> None:
        """Write the index, whole or not at all.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        parts = [[part.name, part.offset, part.size, part.rows] for part in self.parts]
        line = to_json({"format": 1, "parts": parts}).encode() + b"\n"
        content = line + self.short_R.astype("<u8").tobytes()
        write_whole(self.path.with_suffix(".index"), hashlib.sha256(content).digest() + content)


def listed(folder: Path) -> Iterator[Path]:
    """Yield the packs of a folder, then its parts; then what was written meanwhile.

    Where another process joins parts while they are read, the pack that they are in is among the
    latter: who takes each part once, by its name, misses none.
    """
    seen: set[Path] = set()
    while fresh := [path for path in present(folder) if path not in seen]:
        seen.update(fresh)
        yield from fresh


def present(folder: Path) -> list[Path]:
    """Return the packs that a folder has now, then its parts."""
    names = sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208  (one system call)
    packs = [name for name in names if is_pack(Path(name))]
    return [folder / name for name in (*packs, *filter(_NAME.fullmatch, names))]


def is_pack(path: Path) -> bool:
    """Return whether a file is a pack, by its name."""
    return path.suffix == ".tar" and path.name.startswith("pack-")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in words that the system refuses to read a file; one that is gone is no such case.

    Raises
    ------
    FileNotFoundError
        If it is gone.
    StoreError
        If the system refuses, or memory is short.
    """
    try:
        with enough_memory(path):
            yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read features in {path}: {error}; nothing was changed") from error


def write_pack(path: Path, contents: Iterable[bytes]) -> None:
    """Write parts to a pack, and its index; no pack is left where there are none.

    What holds no features is passed over.

    Raises
    ------
    StoreError
        If the disk is full, the folder cannot be written or memory is short; no pack is left then.
    """
    with new_file(path) as stream:
        parts, short_R = _written(stream, contents)
    if not parts:
        path.unlink(missing_ok=True)
        return
    try:
        Pack(path, parts, short_R).write_index()
    except StoreError:
        path.unlink(missing_ok=True)
        raise


def _written(stream: IO[bytes], contents: Iterable[bytes]) -> tuple[tuple[PackedPart, ...], Shorts]:
    parts: list[PackedPart] = []
    shorts: list[int] = []
    for content in contents:
        try:
            keys = keys_of(content)
        except (pa.ArrowException, ValueError):  # whole, and no features
            continue
        info = tarfile.TarInfo(part_name(content))
        info.size, info.mode = len(content), 0o644
        stream.write(info.tobuf(tarfile.USTAR_FORMAT))
        parts.append(PackedPart(info.name, stream.tell(), len(content), len(keys)))
        shorts += map(short_key, keys)
        stream.write(content + bytes(_blocks(len(content)) - len(content)))
    stream.write(bytes(2 * tarfile.BLOCKSIZE))
    return tuple(parts), np.array(shorts, np.uint64)


def keys_of(content: bytes) -> list[str]:
    """Return the keys of the rows of a part.

    Raises
    ------
    ArrowException, ValueError
        If it is none.
    StoreError
        If memory is short.
    """
    with enough_memory(part_name(content)):
        keys = read_parquet(pa.BufferReader(content), ["clip"])["clip"].to_pylist()
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("it has rows without a key")
    return list(keys)


# ---------------------------------------------------------------- the index


def _parsed(content: bytes) -> tuple[tuple[PackedPart, ...], Shorts]:
    """Return what an index says.

    Raises
    ------
    ValueError
        If it is cut short, damaged, or says what cannot be.
    """
    told = content[_SHA_BYTES:]
    if hashlib.sha256(told).digest() != content[:_SHA_BYTES]:
        raise ValueError("its bytes are not those that were written")
    end = told.find(b"\n")
    try:
        document = json_in(told[:end].decode())
        parts = tuple(_part(*found) for found in document["parts"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no index of a pack: {error}") from error
    if document.get("format") != 1 or len(told) - end - 1 != KEY_BYTES * sum(
        part.rows for part in parts
    ):
        raise ValueError("it is no index of a pack")
    return parts, np.frombuffer(told, "<u8", offset=end + 1).astype(np.uint64, copy=False)


def _part(name: str, offset: int, size: int, rows: int) -> PackedPart:
    numbers = (offset, size, rows)
    sound = all(type(number) is int and 0 <= number < 1 << 62 for number in numbers)
    if not (isinstance(name, str) and _NAME.fullmatch(name) and sound):
        raise ValueError(f"it names no part: {name!r}")
    return PackedPart(name, *numbers)


def _scanned(path: Path) -> Pack:
    """Read a pack from end to end: what parts are in it, and whole."""
    parts: list[PackedPart] = []
    shorts: list[int] = []
    with reading(path), path.open("rb") as stream:
        for name, offset, content in _members(stream):
            if part_name(content) != name:
                continue
            with suppress(pa.ArrowException, ValueError):
                keys = keys_of(content)
                parts.append(PackedPart(name, offset, len(content), len(keys)))
                shorts += map(short_key, keys)
    return Pack(path, tuple(parts), np.array(shorts, np.uint64))


def _members(stream: io.BufferedReader) -> Iterator[tuple[str, int, bytes]]:
    """Yield name, offset and bytes of the parts of a tar, up to where it is damaged."""
    while len(header := stream.read(tarfile.BLOCKSIZE)) == tarfile.BLOCKSIZE:
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return
        if info.size < 0:
            return
        offset = stream.tell()
        yield info.name, offset, _bytes(stream, offset, info.size)
        stream.seek(offset + _blocks(info.size))


def _bytes(stream: io.BufferedReader, offset: int, size: int) -> bytes:
    """Return bytes of a file; none where it ends before them, whatever its header says."""
    if not 0 <= size <= os.fstat(stream.fileno()).st_size - offset:
        return b""
    stream.seek(offset)
    return stream.read(size)


def _blocks(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
