"""The small files of a store are joined to packs, whoever reads and writes meanwhile.

A pack is written whole, then its index, then the parts that are in it go: a process that is
killed in between leaves parts twice, never none, and whoever reads takes each part once, by its
name. A file is removed only by who wrote its parts to a younger pack, so that processes which
know nothing of each other cannot remove the last copy.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from vidfit.errors import StoreError
from vidfit.features.packs import Pack, is_pack, part_name, present, reading, write_pack
from vidfit.files import enough_memory

FEW = 192
"""As many files are left as they are; more are joined."""

MOST_PARTS, MOST_BYTES = 1024, 256 << 20
"""Of a pack. It may be larger by its last part."""

_LEAST_BYTES = 64 << 20
"""A pack of less, and of fewer than `FEW` parts, is joined with others."""

_LOCK = ".packing"


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
                with suppress(OSError):  # it says nothing to anybody
                    index.unlink()
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
        If the disk is full, memory is short, or a file cannot be read or removed; nothing is lost.
    """
    taken: set[Path] = set()
    contents = _contents(paths, taken)
    if change is not None:
        contents = (kept for kept in map(change, contents) if kept is not None)
    with enough_memory(folder):
        write_pack(folder / f"pack-{uuid.uuid4().hex}.tar", contents)
    _settle(folder)
    for old in taken:
        _remove(old)


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
                with reading(path):
                    content = path.read_bytes()
                if part_name(content) != path.name:
                    continue  # who reads it sets it aside
                done.add(path.name)
                yield content
            taken.add(path)


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
    for path in present(folder):
        with suppress(FileNotFoundError):
            if not is_pack(path) or _is_small(Pack.open(path)):
                found.append(path)
    return found


def _is_small(pack: Pack) -> bool:
    return len(pack.parts) < FEW and sum(part.size for part in pack.parts) < _LEAST_BYTES


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
