"""A tar that is written forward: the same members give the same bytes."""

from __future__ import annotations

import hashlib
import tarfile
from typing import IO, Any

from vidfit.shards.layout import END_BYTES
from vidfit.video.archive import blocks


class Tar:
    """A tar that is written forward, and back to the start of a sample that failed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size_bytes = 0
        self._sha = hashlib.sha256()
        self.begin()

    def begin(self) -> None:
        """Begin a sample."""
        self._start, self._kept = self.size_bytes, self._sha.copy()

    def forget(self) -> None:
        """Go back to the start of the sample."""
        self._stream.seek(self._start)
        self._stream.truncate()
        self.size_bytes, self._sha = self._start, self._kept

    def sample(self) -> dict[str, Any]:
        """Return where the sample is."""
        return {"offset": self._start, "bytes": self.size_bytes - self._start}

    def member(self, name: str, content: bytes) -> None:
        """Write a whole member."""
        self.header(name, len(content))
        self.put(content)
        self.fill(len(content))

    def header(self, name: str, size: int) -> None:
        """Write the header of a member: of ustar, without time or user."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o644
        self.put(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))

    def put(self, data: bytes) -> None:
        """Write bytes."""
        self._stream.write(data)
        self._sha.update(data)
        self.size_bytes += len(data)

    def fill(self, size: int) -> None:
        """Fill up the last block of a member."""
        self.put(bytes(blocks(size) - size))

    def finish(self) -> str:
        """Write the end, and return the digest of it all."""
        self.put(bytes(END_BYTES))
        self._stream.flush()
        return self._sha.hexdigest()
