"""All that a running server holds."""

from __future__ import annotations

import gzip
import hashlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.documents import read_json
from vidfit.errors import StoreError
from vidfit.serve.labels import GivenLabel, standing
from vidfit.serve.libraries import Libraries, table_of
from vidfit.serve.library import Library
from vidfit.serve.opening import open_libraries, roots_of
from vidfit.serve.options import ServeOptions
from vidfit.serve.people import People
from vidfit.serve.previews import Previews, What, Wish
from vidfit.serve.queue import PROPOSED
from vidfit.serve.stills import FACTS
from vidfit.serve.store import Store
from vidfit.serve.wire import json_of

DATABASE = "vidfit.db"
_TABLES = 4
"""Tables of clips that are kept as they are sent."""


@dataclass(frozen=True)
class SentTable:
    """A table of clips as it is sent, with what tells one version from another."""

    tag: str
    content: bytes
    zipped: bytes


class Service:
    """What answers requests, until `close`.

    Attributes
    ----------
    token
        Secret of the address that opens the page.
    cookie
        Name of the cookie of a session; another state folder has another.
    """

    def __init__(self, sources: Sequence[Path], options: ServeOptions) -> None:
        options.check()
        self.options = options
        self.token = options.token or secrets.token_urlsafe(32)
        name = str(options.state.resolve()).encode("utf-8", "surrogateescape")
        self.cookie = f"vidfit-{hashlib.sha256(name).hexdigest()[:8]}"
        roots = roots_of(sources)
        self.libraries = Libraries(open_libraries(sources, roots), roots)
        self.store = opened_store(options.state)
        self.people = People(self.store, self.token)
        self.previews = Previews(_made(options.state / "previews"), options.most_stored_bytes)
        self._tables: dict[str, SentTable] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop what runs in this process."""
        self.previews.close()
        self.store.close()

    def table(self, library: Library) -> SentTable:
        """Return the clips of a library as they are sent."""
        with self._lock:
            kept = self._tables.get(library.id)
        tag = f'"{library.version}"'
        if kept and kept.tag == tag:
            return kept
        content = json_of(table_of(library))
        sent = SentTable(tag, content, gzip.compress(content, 3))
        with self._lock:
            self._tables[library.id] = sent
            while len(self._tables) > _TABLES:
                del self._tables[next(iter(self._tables))]
        return sent

    def given(self, library: Library) -> dict[str, GivenLabel]:
        """Return what stands for the clips of a library, of the labels given here."""
        with self.store.read() as connection:
            found = standing(connection)
        return {one: row for one, row in found.items() if one in library.place_of}

    def length_seconds(self, clip_id: str) -> float | None:
        """Return how long the video of a clip is, if it was looked at."""
        clip, _ = self.libraries.clip(clip_id)
        wish = self.wish(clip, "stills")
        path = wish and self.previews.find(wish, FACTS)
        return float(read_json(path)["duration_seconds"]) if path else None

    def proposed(self, library: Library) -> Path | None:
        """Return the list of what to label next that `vidfit label` wrote of a library, if any."""
        path = library.source / PROPOSED
        return path if library.kind == "run" and path.is_file() else None

    def wish(self, clip: Clip, what: What) -> Wish | None:
        """Return what is to be made of a clip; ``None`` where its video is not below a root."""
        real = self.libraries.roots.real(clip.path)
        if real is None:
            return None
        if what == "stills":
            return Wish(what, real, clip.start_seconds, clip.end_seconds)
        return Wish(what, real)


def opened_store(state: Path) -> Store:
    """Open the database in a folder of state, which only its owner may read.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot make {state}: {error.strerror}") from error
    return Store(state / DATABASE)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
