"""Files that are there as a whole or not at all, and folders that one process writes to."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from vidfit.errors import StoreError

_LOCK = ".vidfit-lock"
_TEMPORARY = ".tmp-"


def cache_folder(name: str) -> Path:
    """Return ``vidfit/name`` in the user's cache folder (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vidfit" / name


def state_folder(name: str) -> Path:
    """Return ``vidfit/name`` in the user's folder of state, which outlives caches (XDG)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "vidfit" / name


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file as `new_file` does; return its path."""
    with new_file(path) as stream:
        stream.write(content)
    return path


def temporary_in(folder: Path, suffix: str = "") -> Path:
    """Return a name for what is written whole, file or folder; `claimed` sweeps what a kill left.

    Parameters
    ----------
    suffix
        How the name ends, for those who go by it.
    """
    return folder / f"{_TEMPORARY}{uuid.uuid4().hex}{suffix}"


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing under a temporary name beside it, then rename it.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f"{_TEMPORARY}{path.name}-{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; free space or choose another "
            "folder. What was finished is kept: the same command goes on"
        ) from error
    finally:
        with suppress(OSError):  # there is none, or the folder is a file
            temporary.unlink()


@contextmanager
def enough_memory(what: object) -> Iterator[None]:
    """Say in words that memory is short, so that nobody takes it for damage of what is read.

    Parameters
    ----------
    what
        File, folder or address that is read.

    Raises
    ------
    StoreError
        In place of a `MemoryError`, which Arrow's is, too.
    """
    try:
        yield
    except MemoryError as error:
        raise StoreError(
            f"memory is too short to read {what}; it stays as it is. Free memory, or ask for "
            "fewer workers: the same command goes on"
        ) from error


def sha256(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a folder for the output of this process; made if missing, removed if left empty.

    The system gives the lock back when a process ends, however it ends. Where there are no
    locks, as on Windows and some network folders, nothing is held. Each command holds its output;
    functions that are called from Python do not, for a program may write to one folder from
    several threads: where several processes might, ``with claimed(folder):`` stands around them.

    Raises
    ------
    StoreError
        If another process holds it, it is a file, or it cannot be written.
    """
    made = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = _lock(folder / _LOCK)
        except OSError as error:
            what = "it is a file" if isinstance(error, FileExistsError) else error.strerror
            raise StoreError(
                f"cannot write to {folder}: {what or error}; choose another folder with --output"
            ) from error
        try:
            yield
        finally:
            (folder / _LOCK).unlink(missing_ok=True)
            os.close(handle)
    finally:
        with suppress(OSError):  # something was written to it
            for empty in made:
                empty.rmdir()


def _lock(path: Path) -> int:
    """Open and lock a file that bears our process number."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            held = _lock_open(handle, path.parent)
        except BaseException:
            os.close(handle)
            raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                os.truncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                if held:
                    _sweep(path.parent)
                return handle
        os.close(handle)  # who held it has removed it: ours is no longer the one that others see


def _sweep(folder: Path) -> None:
    """Remove what a killed process was writing whole."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def _lock_open(handle: int, folder: Path) -> bool:
    """Lock an open file; return whether the system has locks here."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            return False  # no locks here
        holder = os.read(handle, 20).decode("ascii", "replace") or "unknown"
        raise StoreError(
            f"another vidfit (process {holder}) writes to {folder}; wait for it to end, or choose "
            "another folder with --output"
        ) from error
    return True


def read_parquet(source: Any, columns: Sequence[str] | None = None) -> Any:  # noqa: ANN401
    """Read a Parquet table in this thread alone, with the checksums of its pages.

    `pyarrow.parquet.read_table` leaves threads behind that end later; a process that ends before
    them is aborted, with all of its work done (apache/arrow#34314).

    Parameters
    ----------
    source
        Path, or Arrow buffer reader.
    columns
        That are read; ``None`` reads all.

    Raises
    ------
    ValueError
        If one of them is not there.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        if absent := sorted({*(columns or ())} - {*file.schema_arrow.names}):
            raise ValueError(f"there is no column {', '.join(absent)}")
        return file.read(columns=columns, use_threads=False)
