"""Shards as they lie on a disk or at a URL: plain tars, read by ranges."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vidfit.errors import VideoError

BLOCK_BYTES = 512
"""Tar counts in blocks: one of header, then the content, filled up with zeros."""

INDEX, DOCUMENT = "index.parquet", "shards.json"
"""What lies beside shards: where each sample is, and what they all are; written in that order."""

PARTS = ".parts"
"""The folder beside shards that says what is finished."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes of an archive, from ``start``."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte that is no longer part of it."""
        return self.start + self.size


def read_span(archive: str, span: ByteRange) -> bytes:
    """Return some bytes of an archive by one read.

    Raises
    ------
    VideoError
        If it cannot be read, or ends before.
    """
    data = bytearray(span.size)
    read_into(archive, span, memoryview(data))
    return bytes(data)


def read_into(archive: str, span: ByteRange, to: memoryview) -> None:
    """Read some bytes of an archive into memory that is there, which saves asking for more.

    Raises
    ------
    VideoError
        If it cannot be read, or ends before.
    """
    if is_remote(archive):
        data = remote(archive)(span.start, span.size)
        if len(data) < span.size:
            raise _cut_short(archive, span, len(data))
        to[: span.size] = data
        return
    done = 0
    try:
        with open(archive, "rb", buffering=0) as stream:  # noqa: PTH123
            while done < span.size:
                part = to[done : span.size]
                if not (size := os.preadv(stream.fileno(), [part], span.start + done)):
                    raise _cut_short(archive, span, done)
                done += size
    except OSError as error:
        raise unreadable(archive, error) from error


def advise(archive: str, spans: Sequence[ByteRange]) -> None:
    """Tell the system what will be read of a local archive, so that it begins to."""
    if is_remote(archive) or not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError), open(archive, "rb", buffering=0) as stream:  # noqa: PTH123
        for span in spans:
            os.posix_fadvise(stream.fileno(), span.start, span.size, os.POSIX_FADV_WILLNEED)


def is_remote(archive: str) -> bool:
    """Return whether an archive is one for fsspec."""
    return "://" in archive or "::" in archive


# ---------------------------------------------------------------- reading


def remote(archive: str) -> Callable[[int, int], bytes]:
    """Return what reads bytes from a place of an archive at a URL, fewer at its end."""
    from vidfit.video.address import reach  # which knows of members, as archives do not

    def read(start: int, size: int) -> bytes:
        try:
            system, path = reach(archive)
            return bytes(system.cat_file(path, start=start, end=start + size))
        except VideoError:
            raise
        except Exception as error:  # every fsspec backend has errors of its own
            raise unreadable(archive, error) from error

    return read


def open_remote(archive: str) -> Any:  # noqa: ANN401  (an open file of any kind)
    """Open an archive at a URL, or what lies beside it."""
    from vidfit.video.address import reach

    try:
        system, path = reach(archive)
        return system.open(path, "rb")
    except VideoError:
        raise
    except Exception as error:  # every fsspec backend has errors of its own
        raise unreadable(archive, error) from error


def unreadable(archive: str, error: Exception) -> VideoError:
    """Say why an archive cannot be read, and what to do."""
    from vidfit.video.address import reason_of

    if isinstance(error, FileNotFoundError):
        return VideoError(f"{archive}: no such shard; copy it again, or shard the clips again")
    return VideoError(f"{archive}: cannot be read: {reason_of(error, archive)}")


def _cut_short(archive: str, span: ByteRange, read: int) -> VideoError:
    return VideoError(
        f"{archive}: is cut short: {span.start + read} bytes, at least {span.end} expected; copy "
        "it again, or shard the clips again"
    )


class FilePart(io.RawIOBase):
    """A range of an open file, as a file."""

    def __init__(self, whole: Any, span: ByteRange) -> None:  # noqa: ANN401
        self._whole, self._span, self._at = whole, span, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        left = self._span.size - self._at
        self._whole.seek(self._span.start + self._at)
        data = bytes(self._whole.read(left if size < 0 else min(size, left)))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the range."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._span.size}[whence]
        self._at = min(max(base + offset, 0), self._span.size)
        return self._at

    def tell(self) -> int:
        """Return the place in the range."""
        return self._at

    def seekable(self) -> bool:
        """Return that it can be gone about in."""
        return True

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def close(self) -> None:
        """Close the whole file."""
        self._whole.close()
        super().close()


def parse_header(block: bytes, at: int = 0) -> tuple[str, int]:
    """Return name and size of the member that a header of ustar announces.

    Raises
    ------
    ValueError
        If it is none, or its checksum does not fit.
    """
    try:
        told = _octal(block[148:156].strip(b" \0"))
        size = _octal(block[124:136].strip(b" \0") or b"0")
    except ValueError:
        raise ValueError(f"the shard is damaged at byte {at}: no tar header there") from None
    if len(block) < BLOCK_BYTES or told != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise ValueError(f"the shard is damaged at byte {at}: its tar header does not add up")
    name, prefix = (block[a:b].partition(b"\0")[0] for a, b in ((0, 100), (345, 500)))
    whole = prefix + b"/" + name if prefix else name
    return whole.decode("utf-8", "surrogateescape"), size


def _octal(digits: bytes) -> int:
    """Return a number of octal digits alone; `int` would take a sign and underscores."""
    if digits.strip(b"01234567"):
        raise ValueError("no octal number")
    return int(digits, 8)


def blocks(size: int) -> int:
    """Return the bytes that content takes in a tar."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES
