"""All that a running server holds."""

from __future__ import annotations

import gzip
import hashlib
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.documents import read_json
from vidfit.errors import StoreError, VidfitError
from vidfit.runtime.malloc import give_back
from vidfit.serve.alike import Alike
from vidfit.serve.assets import Asset, Assets
from vidfit.serve.boxes.shelf import FrameShelf
from vidfit.serve.jobs import JobRow, Jobs
from vidfit.serve.labels import GivenLabel, standing
from vidfit.serve.libraries import Libraries, table_of
from vidfit.serve.library import Library, clip_ids, library_id
from vidfit.serve.opening import open_libraries, open_run, roots_of, runs_below
from vidfit.serve.options import ServeOptions
from vidfit.serve.people import People
from vidfit.serve.previews import Previews, What, Wish
from vidfit.serve.queue import PROPOSED, ClosedClips, QueueOrder, Reasoned, ordered
from vidfit.serve.shots.looking import Looking
from vidfit.serve.shots.shelf import IndexShelf
from vidfit.serve.stills import FACTS
from vidfit.serve.store import Store
from vidfit.serve.streams import EventStreams
from vidfit.serve.wire import json_of

DATABASE = "vidfit.db"
OUTPUT = "output"
"""Folder of what a job writes, in its own."""

_TABLES = 32
"""Tables of clips that are kept as they are sent; one of 100,000 has 2 MB."""


@dataclass(frozen=True)
class SentTable:
    """A table of clips as it is sent, with what tells one version from another."""

    tag: str
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
        uploads = options.state / "assets"
        roots = roots_of(sources).joined(uploads)
        self.libraries = Libraries(open_libraries(sources, roots), roots)
        self.store = opened_store(options.state)
        self.closed = ClosedClips()
        self.alike = Alike(roots)
        self.indexes = IndexShelf(roots)
        self.looking = Looking()
        self.shelf = FrameShelf()
        self.people = People(self.store, self.token)
        self.previews = Previews(_made(options.state / "previews"), options.most_stored_bytes)
        self._tables: dict[str, SentTable] = {}
        self._lock = threading.Lock()
        self._results: dict[str, str] = {}
        self._orders: dict[str, tuple[object, list[Reasoned]]] = {}
        most = (options.most_upload_bytes, options.most_stored_bytes)
        self.assets = Assets(self.store, _made(uploads), *most)
        self.open_uploads()
        jobs = _made(options.state / "jobs")
        at_a_time = 0 if options.read_only else options.jobs  # what waits from before waits on
        self.jobs = Jobs(self.store, jobs, at_a_time, self._open_result)
        self.streams = EventStreams()
        for job in self.jobs.all():
            if job.state == "done":
                self._open_result(job.id)
        self.jobs.start()
        for library in self.libraries.all():
            self.table(library)  # of 100,000 clips it takes seconds, which nobody should wait for
        give_back()
        if options.ahead:
            threading.Thread(target=self._make_ahead, name="ahead", daemon=True).start()

    def close(self) -> None:
        """Stop what runs in this process."""
        self.jobs.close()
        self.previews.close()
        self.looking.close()
        self.store.close()

    def table(self, library: Library) -> SentTable:
        """Return the clips of a library as they are sent."""
        with self._lock:
            kept = self._tables.get(library.id)
        tag = f'"{library.version}"'
        if kept and kept.tag == tag:
            return kept
        sent = SentTable(tag, gzip.compress(json_of(table_of(library)), 3))
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

    def order(self, library: Library, how: QueueOrder) -> list[Reasoned]:
        """Return the clips of a library in an order, which is kept while nothing changes."""
        proposed = self.proposed(library)
        at = (library.version, how, proposed, proposed and proposed.stat().st_mtime_ns)
        with self._lock:
            if library.id in self._orders and self._orders[library.id][0] == at:
                return self._orders[library.id][1]
        found = ordered(library, how, proposed)
        with self._lock:
            self._orders[library.id] = (at, found)
        return found

    def proposed(self, library: Library) -> Path | None:
        """Return the last list of what to label next that was written of a library, if any."""
        asked = (
            job.id for job in self.jobs.all()
            if job.asked["command"] == "label" and job.asked["library"] == library.id
        )  # fmt: skip
        folders = [*(self.jobs.folder / job_id / OUTPUT for job_id in asked), library.source]
        return next((f / PROPOSED for f in folders if (f / PROPOSED).is_file()), None)

    def open_uploads(self) -> None:
        """Open the uploads that are ready as a library, in which they have their own names."""
        ready = [asset for asset in reversed(self.assets.all()) if asset.state == "ready"]
        clips = tuple(Clip(str(self.assets.path(asset).resolve())) for asset in ready)
        folder = self.assets.folder
        known = library_id(folder, "videos")
        if not clips and all(one.id != known for one in self.libraries.all()):
            return
        library = Library(known, "uploads", "videos", folder, clips, clip_ids(clips))
        names = tuple(asset.name for asset in ready)
        self.libraries.put(replace(library, given_names=names))

    def clip_of(self, asset: Asset) -> str:
        """Return the id of the clip that an upload has become; nothing before it is ready."""
        if asset.state != "ready":
            return ""
        (one,) = clip_ids([Clip(str(self.assets.path(asset).resolve()))])
        return one

    def result_library(self, job_id: str) -> str:
        """Return the id of what a job wrote, once it is open; else nothing."""
        with self._lock:
            return self._results.get(job_id, "")

    def _make_ahead(self) -> None:
        """Have the first posters of each library made while nothing else is asked."""
        for library in self.libraries.all():
            clips = library.clips[: self.options.ahead]
            wishes = (self.wish(clip, "stills") for clip in clips)
            self.previews.ask((wish for wish in wishes if wish), ahead=True)

    def _open_result(self, job_id: str) -> None:
        """Open what a job wrote as a library, if it is one."""
        output = self.jobs.folder / job_id / OUTPUT
        if not runs_below(output, 0):
            return
        with suppress(VidfitError, OSError):
            job = self.jobs.get(job_id)
            library = replace(open_run(output), name=self._name_of_result(job))
            self.table(library)
            self.libraries.put(library)
            with self._lock:
                self._results[job_id] = library.id

    def _name_of_result(self, job: JobRow) -> str:
        """Return what the result of a job is called: the second fit of clips ends in 2."""
        command, of = job.asked["command"], job.asked["library"]
        before = sum(
            one.state == "done" and one.at < job.at
            and (one.asked["command"], one.asked["library"]) == (command, of)
            for one in self.jobs.all()
        )  # fmt: skip
        return f"{command} {self._name_of(of)}{f' {before + 1}' if before else ''}"

    def _name_of(self, library_id: str) -> str:
        return next((one.name for one in self.libraries.all() if one.id == library_id), "")

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
