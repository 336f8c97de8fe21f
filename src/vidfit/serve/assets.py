"""Uploads: in parts that go on after a break, checked, and read only when they are whole.

What comes in lies under a random name; the name that a client gives is only shown.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidfit.errors import VidfitError
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.store import Store
from vidfit.video.names import VIDEO_SUFFIXES
from vidfit.video.signature import holds_video

AssetState = Literal["partial", "ready", "refused"]

_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_LONGEST_NAME = 200
_FREE_BYTES = 2**28
"""Left free on the disk, whatever the quota says."""


@dataclass(frozen=True, slots=True)
class AssetWish:
    """A file that is to come: its name, its bytes, and their SHA-256 in hex, if it is known."""

    name: str
    size_bytes: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """An upload; it goes on at ``received_bytes``, and is a ``clip`` once it is ready."""

    id: str
    name: str
    size_bytes: int
    received_bytes: int
    sha256: str | None
    state: AssetState
    why: str
    clip: str


class Assets:
    """The uploads of a folder.

    Parameters
    ----------
    most_bytes, most_stored_bytes
        Of one, and of all of them.
    """

    def __init__(self, store: Store, folder: Path, most_bytes: int, most_stored_bytes: int) -> None:
        self._store, self.folder = store, folder
        self._most_bytes, self._most_stored_bytes = most_bytes, most_stored_bytes
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        for (one,) in store.rows("SELECT id FROM assets WHERE state = 'partial'"):
            with suppress(OSError, VidfitError):  # its next part tries again
                self._settled(one)

    def add(self, wish: AssetWish, person: str) -> Asset:
        """Make room for a file.

        Raises
        ------
        ProblemError
            413 where it is too large, 507 where the quota or the disk has no room for it, 422
            where its name is none of a video.
        """
        suffix = self._checked(wish)
        asset_id = secrets.token_hex(16)

        def change(connection: sqlite3.Connection) -> None:
            query = "SELECT coalesce(sum(bytes), 0) FROM assets WHERE state != 'refused'"
            (taken,) = connection.execute(query).fetchone()
            if taken + wish.size_bytes > self._most_stored_bytes:
                raise ProblemError(507, "the disk quota of the server is used up; remove uploads")
            connection.execute(
                "INSERT INTO assets VALUES (?, ?, ?, ?, ?, 'partial', '', ?)",
                (asset_id, person, wish.name, wish.size_bytes, wish.sha256, time.time()),
            )

        self._store.write(change)
        (self.folder / f"{asset_id}{suffix}.part").touch()
        return self.get(asset_id)

    def _checked(self, wish: AssetWish) -> str:
        suffix = Path(wish.name).suffix.lower()
        plain = 0 < len(wish.name) <= _LONGEST_NAME and wish.name.isprintable()
        if not plain or "/" in wish.name or suffix not in VIDEO_SUFFIXES:
            raise ProblemError(422, "give the name of a video file, such as a.mp4")
        if wish.size_bytes < 1:
            raise ProblemError(422, "size_bytes: give 1 or more")
        if wish.size_bytes > self._most_bytes:
            raise ProblemError(413, f"uploads have at most {self._most_bytes:,} bytes")
        space = os.statvfs(self.folder)
        if wish.size_bytes + _FREE_BYTES > space.f_bavail * space.f_frsize:
            raise ProblemError(507, "the disk of the server has no room for it")
        return suffix

    def get(self, asset_id: str) -> Asset:
        """Return an upload; raises ProblemError (404) where there is none."""
        query = "SELECT id, name, bytes, sha256, state, why FROM assets WHERE id = ?"
        rows = self._store.rows(query, (asset_id,))
        if not rows:
            raise missing()
        one, name, size, digest, state, why = rows[0]
        part = self._path(one, name, ".part")
        received = size if state == "ready" else part.stat().st_size if part.is_file() else 0
        return Asset(one, name, size, received, digest, state, why, "")

    def all(self) -> list[Asset]:
        """Return all uploads, the newest first."""
        rows = self._store.rows("SELECT id FROM assets ORDER BY at DESC")
        return [self.get(one) for (one,) in rows]

    def path(self, asset: Asset) -> Path:
        """Return where an upload lies once it is ready."""
        return self._path(asset.id, asset.name, "")

    async def receive(
        self, asset: Asset, content_range: str | None, chunks: AsyncIterator[bytes]
    ) -> Asset:
        """Write what comes in behind what is there; when all is there, check it.

        What came in before a break stays, and the next request goes on behind it.

        Raises
        ------
        ProblemError
            416 where the range does not begin where the last one ended; 413 where more comes than
            was said; 409 where another request writes.
        """
        from anyio import to_thread

        with self._lock:
            if asset.id in self._busy:
                raise ProblemError(409, "another request writes this upload; wait for its end")
            self._busy.add(asset.id)
        try:
            now = await to_thread.run_sync(self._settled, asset.id)
            if asset.state == "partial" and now.state != "partial":
                return now
            first, last = self._span(now, content_range)
            part = self._path(asset.id, asset.name, ".part")
            with part.open("r+b") as stream:
                at = stream.seek(0, os.SEEK_END)
                if at != first:
                    raise ProblemError(416, f"{at} bytes are there; go on from byte {at}")
                async for chunk in chunks:
                    at += len(chunk)
                    if at > last + 1:
                        raise ProblemError(413, "more bytes came than Content-Range said")
                    await to_thread.run_sync(stream.write, chunk)
                stream.flush()
                await to_thread.run_sync(os.fsync, stream.fileno())
            return await to_thread.run_sync(self._settled, asset.id)
        finally:
            with self._lock:
                self._busy.discard(asset.id)

    def remove(self, asset_id: str) -> None:
        """Remove an upload; raises ProblemError (404) where there is none."""
        asset = self.get(asset_id)
        for ending in (".part", ""):
            self._path(asset.id, asset.name, ending).unlink(missing_ok=True)
        query = "DELETE FROM assets WHERE id = ?"
        self._store.write(lambda connection: connection.execute(query, (asset_id,)) and None)

    def _span(self, asset: Asset, content_range: str | None) -> tuple[int, int]:
        if asset.state != "partial":
            raise ProblemError(409, f"the upload is {asset.state}; make a new one")
        if content_range is None:
            return 0, asset.size_bytes - 1
        found = _RANGE.fullmatch(content_range.strip())
        first, last, size = map(int, found.groups()) if found else (1, 0, 0)
        if not first <= last < size or size != asset.size_bytes:
            raise ProblemError(
                416, f"give Content-Range as bytes FIRST-LAST/{asset.size_bytes}, within the file"
            )
        return first, last

    def _settled(self, asset_id: str) -> Asset:
        """Return an upload, finished where all of it is there.

        A kill or a full disk may have come between its last byte, its name and its row.
        """
        asset = self.get(asset_id)
        if asset.state != "partial":
            return asset
        part, whole = self._path(asset.id, asset.name, ".part"), self.path(asset)
        if not part.is_file() and not whole.is_file():
            part.touch()
        there = part if part.is_file() else whole
        if there.stat().st_size == asset.size_bytes:
            self._finish(asset, there)
        return self.get(asset_id)

    def _finish(self, asset: Asset, part: Path) -> None:
        """Check a file that is whole, and give it its name."""
        with part.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        state: AssetState = "ready"
        why = ""
        if asset.sha256 and digest != asset.sha256.lower():
            state, why = "refused", f"its SHA-256 is {digest}: it was altered on the way"
        elif not holds_video(part):
            state, why = "refused", "it does not begin as a video does"
        if state == "ready":
            part.replace(self.path(asset))
        else:
            part.unlink()
        query = "UPDATE assets SET state = ?, why = ?, sha256 = ? WHERE id = ?"
        row = (state, why, digest, asset.id)
        self._store.write(lambda connection: connection.execute(query, row) and None)

    def _path(self, asset_id: str, name: str, ending: str) -> Path:
        return self.folder / f"{asset_id}{Path(name).suffix.lower()}{ending}"
