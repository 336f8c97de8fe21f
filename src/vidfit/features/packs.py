"""Many parts of a store in few files, and what is in them.

Layout, beside the parts that nobody has joined yet::

    pack-<random>.tar      parts, byte for byte as they were: ``tar xf`` gives them back
    pack-<random>.index    32 bytes: sha256 of the rest; a line of JSON with name, offset, bytes
                           and rows of each part; 8 bytes of each row's key, little endian

A pack is written whole, then its index, then the parts that are in it go: a process that is
killed in between leaves parts twice, never none, and whoever reads takes each part once, by its
name. A file is removed only by who wrote its parts to a younger pack, so that processes which
know nothing of each other cannot remove the last copy. An index that is missing or damaged is
made anew from its pack.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import new_file, read_parquet, write_whole

FEW = 192
"""As many files are left as they are; more are joined."""

MOST_PARTS, MOST_BYTES = 1024, 256 << 20
"""Of a pack. It may be larger by its last part."""

_LEAST_BYTES = 64 << 20
"""A pack of less, and of fewer than `FEW` parts, is joined with others."""

_LOCK = ".packing"
_SHA_BYTES, _KEY_BYTES = 32, 8
_NAME = re.compile(r"part-([0-9a-f]{32})\.parquet")

Shorts = NDArray[np.uint64]


def part_name(content: bytes) -> str:
    """Return what a part is called: by its bytes."""
    return f"part-{hashlib.sha256(content).hexdigest()[:32]}.parquet"


def short_key(key: str) -> int:
    """Return the 8 bytes of a row's key that an index holds."""
    short = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES)
    return int.from_bytes(short.digest(), "little")


class HeldKeys:
    """Keys of rows that a store has, of those in packs by 8 bytes each.

    A key that is not there is taken for one that is with a chance of N / 2^64, N rows in packs.
    """

    def __init__(self, names: set[str], shorts: Iterable[Shorts] = ()) -> None:
        self._names = names
        self._short_R = np.concatenate([np.zeros(0, np.uint64), *shorts])
        self._short_R.sort()

    def __contains__(self, key: object) -> bool:
        """Return whether the row of a key is there."""
        if key in self._names:
            return True
        if not (len(self._short_R) and isinstance(key, str)):
            return False
        short = np.uint64(short_key(key))
        place = int(np.searchsorted(self._short_R, short))
        return place < len(self._short_R) and bool(self._short_R[place] == short)


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
        try:
            content = path.with_suffix(".index").read_bytes()
            return cls(path, *_parsed(content))
        except (FileNotFoundError, ValueError):
            pass
        except OSError as error:
            raise _refused(path, error) from error
        pack = _scanned(path)
        with suppress(StoreError):  # it is made anew the next time, too
            pack.write_index()
        return pack

    @property
    def is_small(self) -> bool:
        """Whether it should be joined with others."""
        return len(self.parts) < FEW and sum(part.size for part in self.parts) < _LEAST_BYTES

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
        try:
            with self.path.open("rb") as stream:
                for part in self.parts:
                    if part.name not in but:
                        content = _bytes(stream, part.offset, part.size)
                        yield part, content if part_name(content) == part.name else None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _refused(self.path, error) from error

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
    while fresh := [path for path in _files(folder) if path not in seen]:
        seen.update(fresh)
        yield from fresh


def _files(folder: Path) -> list[Path]:
    names = sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208  (one system call)
    packs = [name for name in names if is_pack(Path(name))]
    return [folder / name for name in (*packs, *filter(_NAME.fullmatch, names))]


def is_pack(path: Path) -> bool:
    """Return whether a file is a pack, by its name."""
    return path.suffix == ".tar" and path.name.startswith("pack-")


# ---------------------------------------------------------------- joining


def compact(folder: Path) -> int:
    """Join the small files of a folder, if they are many; return how many there were.

    Nothing is done where another process of this machine is at it.

    Raises
    ------
    StoreError
        If the disk is full, or a file cannot be read or removed; nothing is lost.
    """
    if len(_small(folder)) < FEW:
        return 0
    with alone(folder) as free:
        joined = join_all(folder, _small(folder)) if free else 0
        for index in folder.glob("pack-*.index"):  # a killed process removed its pack
            if not index.with_suffix(".tar").exists():
                index.unlink(missing_ok=True)
        return joined


def join_all(folder: Path, paths: Iterable[Path]) -> int:
    """Join files to packs that are full but not fuller; return how many there were.

    Raises
    ------
    StoreError
        As `join` does.
    """
    joined = 0
    for group in _grouped(paths):
        if len(group) > 1:
            join(folder, group)
            joined += len(group)
    return joined


def join(
    folder: Path, paths: Sequence[Path], change: Callable[[bytes], bytes | None] | None = None
) -> None:
    """Write the parts of some files, loose or in packs, to one pack, then remove these files.

    Parts that are damaged are not written, and their files stay unless they are packs.

    Parameters
    ----------
    change
        Returns what is kept of a part, or ``None``.

    Raises
    ------
    StoreError
        If the disk is full, or a file cannot be read or removed; nothing is lost.
    """
    path = folder / f"pack-{uuid.uuid4().hex}.tar"
    parts: list[PackedPart] = []
    shorts: list[int] = []
    taken: set[Path] = set()
    with new_file(path) as stream:
        for content in _contents(paths, taken):
            kept = content if change is None else change(content)
            if kept is None:
                continue
            try:
                keys = keys_of(kept)
            except (pa.ArrowException, ValueError):  # whole, and no features
                continue
            name = part_name(kept)
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(kept), 0o644
            stream.write(info.tobuf(tarfile.USTAR_FORMAT))
            parts.append(PackedPart(name, stream.tell(), len(kept), len(keys)))
            shorts += map(short_key, keys)
            stream.write(kept + bytes(_blocks(len(kept)) - len(kept)))
        stream.write(bytes(2 * tarfile.BLOCKSIZE))
    try:
        if parts:
            Pack(path, tuple(parts), np.array(shorts, np.uint64)).write_index()
    except StoreError:
        parts = []  # it takes room, and all that is in it lies elsewhere
        raise
    finally:
        if not parts:
            path.unlink()
    _settle(folder)
    for old in taken:
        _remove(old)


def keys_of(content: bytes) -> list[str]:
    """Return the keys of the rows of a part.

    Raises
    ------
    ArrowException, ValueError
        If it is none.
    """
    keys = read_parquet(pa.BufferReader(content), ["clip"])["clip"].to_pylist()
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("it has rows without a key")
    return list(keys)


@contextmanager
def alone(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Yield whether no other process of this machine joins parts of a folder.

    Where there are no locks it is so: two that join the same parts lose none.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield True
        return
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            free = True
        except BlockingIOError:
            free = False
        except OSError:  # no locks here
            free = True
        yield free
    finally:
        os.close(handle)


def _contents(paths: Iterable[Path], taken: set[Path]) -> Iterator[bytes]:
    """Yield the parts of files, each once and whole; put down which files may go then."""
    done: set[str] = set()
    for path in paths:
        with suppress(FileNotFoundError):  # another process has joined it
            if is_pack(path):
                for part, content in Pack.open(path).contents(done):
                    if content is not None:
                        done.add(part.name)
                        yield content
            elif path.name not in done:
                content = _read(path)
                if part_name(content) != path.name:
                    continue  # who reads it sets it aside
                done.add(path.name)
                yield content
            taken.add(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, error) from error


def _grouped(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Yield files that make a pack each."""
    group: list[Path] = []
    parts = size = 0
    for path in paths:
        with suppress(FileNotFoundError):
            size += path.stat().st_size
            parts += len(Pack.open(path).parts) if is_pack(path) else 1
            group.append(path)
        if parts >= MOST_PARTS or size >= MOST_BYTES:
            yield group
            group, parts, size = [], 0, 0
    if group:
        yield group


def _small(folder: Path) -> list[Path]:
    found = []
    for path in _files(folder):
        with suppress(FileNotFoundError):
            if not is_pack(path) or Pack.open(path).is_small:
                found.append(path)
    return found


def _settle(folder: Path) -> None:
    """Have the system write down which files a folder has, before any is removed."""
    with suppress(OSError):  # not everywhere can a folder be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        if is_pack(path):
            path.with_suffix(".index").unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be removed: {error.strerror}; what is in it was kept elsewhere"
        ) from error


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
    if document.get("format") != 1 or len(told) - end - 1 != _KEY_BYTES * sum(
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
    try:
        with path.open("rb") as stream:
            for name, offset, content in _members(stream):
                if part_name(content) != name:
                    continue
                with suppress(pa.ArrowException, ValueError):
                    keys = keys_of(content)
                    parts.append(PackedPart(name, offset, len(content), len(keys)))
                    shorts += map(short_key, keys)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, error) from error
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


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot read features in {path}: {error}; nothing was changed")
