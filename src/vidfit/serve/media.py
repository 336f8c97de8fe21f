"""Videos by ranges of bytes (RFC 9110, 14), with a type that they are sure to be.

One range a request: of several, which no browser asks for, sorting and sending them has cost
servers minutes; they are answered with 416 at once.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.serve.problems import ProblemError, missing
from vidfit.video.signature import holds_video

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MEDIA_TYPES = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".qt": "video/quicktime",
    ".webm": "video/webm", ".mkv": "video/x-matroska", ".ogv": "video/ogg",
    ".avi": "video/x-msvideo", ".ts": "video/mp2t", ".mts": "video/mp2t", ".m2ts": "video/mp2t",
    ".mpg": "video/mpeg", ".mpeg": "video/mpeg", ".flv": "video/x-flv", ".wmv": "video/x-ms-wmv",
    ".3gp": "video/3gpp",
}  # fmt: skip
OTHER_VIDEO = "application/octet-stream"
CHUNK_BYTES = 2**18
_LONGEST_HEADER = 64
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """Bytes ``first`` to ``last``, both among them."""

    first: int
    last: int


def media_type(path: Path) -> str:
    """Return the type of a file by its name; what is no known video has one that nobody shows."""
    return MEDIA_TYPES.get(path.suffix.lower(), OTHER_VIDEO)


def is_sendable(path: Path | None) -> bool:
    """Return whether a file begins as videos do: no page, picture with script, or other text."""
    return path is not None and path.is_file() and holds_video(path)


def span_of(header: str | None, size_bytes: int) -> ByteSpan | None:
    """Return the bytes that a ``Range`` asks for; ``None`` for all, also where it is none.

    Raises
    ------
    ProblemError
        416 where it lies outside of the file, or there are several.
    """
    if header is None or not header.lower().startswith("bytes="):
        return None
    if len(header) > _LONGEST_HEADER or "," in header:
        raise ProblemError(416, "one range is sent at a time; ask for them one after another")
    found = _RANGE.fullmatch(header.lower().replace(" ", ""))
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, size_bytes - int(found[2])), size_bytes - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size_bytes), size_bytes - 1)
    if found[1] and found[2] and int(found[2]) < first:
        return None
    if first >= size_bytes or last < first:
        raise ProblemError(416, f"the file has {size_bytes} bytes")
    return ByteSpan(first, last)


def send_file(request: Request, path: Path, kind: str, *, forever: bool = False) -> Response:
    """Return a file, or the part of it that is asked for.

    Parameters
    ----------
    path
        A real path, without links.
    kind
        Its media type.
    forever
        Whether what is at this address never changes.

    Raises
    ------
    ProblemError
        404 where it is gone; 416 where the range is none of it.
    """
    from starlette.responses import Response, StreamingResponse

    handle = _open(path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise missing()
        tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        headers = {
            "accept-ranges": "bytes",
            "etag": tag,
            "last-modified": formatdate(status.st_mtime, usegmt=True),
            "cache-control": f"private, {'max-age=604800' if forever else 'no-cache'}",
            "content-disposition": "inline",
        }
        if tag in request.headers.get("if-none-match", ""):
            os.close(handle)
            return Response(status_code=304, headers=headers)
        wanted = request.headers.get("range")
        if request.headers.get("if-range", tag) != tag:
            wanted = None
        span = span_of(wanted, status.st_size)
        if span is None:
            code, span = 200, ByteSpan(0, status.st_size - 1)
        else:
            code = 206
            headers["content-range"] = f"bytes {span.first}-{span.last}/{status.st_size}"
        headers["content-length"] = str(span.last - span.first + 1)
        if request.method == "HEAD":
            os.close(handle)
            return Response(status_code=code, headers=headers, media_type=kind)
        return StreamingResponse(_chunks(handle, span), code, headers, kind)
    except BaseException:
        os.close(handle)
        raise


def _open(path: Path) -> int:
    try:
        return os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
    except (OSError, ValueError):
        raise missing() from None


async def _chunks(handle: int, span: ByteSpan) -> AsyncIterator[bytes]:
    from anyio import to_thread

    try:
        at = span.first
        while at <= span.last:
            size = min(CHUNK_BYTES, span.last + 1 - at)
            chunk = await to_thread.run_sync(os.pread, handle, size, at)
            if not chunk:  # the file was cut short
                return
            yield chunk
            at += len(chunk)
    finally:
        os.close(handle)
