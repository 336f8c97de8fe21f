"""All libraries that are open, and the clips in them by id."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from vidfit.contracts import Clip
from vidfit.serve.library import Library
from vidfit.serve.problems import missing
from vidfit.serve.roots import Roots
from vidfit.serve.values import NONE, ClipTable, LibraryFacts, coded

MOST_LENT = 20_000
"""Shots that were told, of all indexes."""


class Libraries:
    """Libraries in the order in which they were opened; safe to use from several threads."""

    def __init__(self, libraries: Iterable[Library], roots: Roots) -> None:
        self.roots = roots
        self._lock = threading.Lock()
        self._by_id: dict[str, Library] = {}
        self._of_clip: dict[str, str] = {}
        self._lent: OrderedDict[str, Library] = OrderedDict()
        for library in libraries:
            self.put(library)

    def put(self, library: Library) -> None:
        """Add a library, or replace that of its id."""
        with self._lock:
            self._by_id[library.id] = library
            for one in library.ids:
                self._of_clip.setdefault(one, library.id)

    def all(self) -> tuple[Library, ...]:
        """Return those that are open."""
        with self._lock:
            return tuple(self._by_id.values())

    def get(self, library_id: str) -> Library:
        """Return a library; raises ProblemError (404) where none has the id."""
        with self._lock:
            found = self._by_id.get(library_id)
        if found is None:
            raise missing()
        return found

    def clip(self, clip_id: str) -> tuple[Clip, Library]:
        """Return a clip and a library with it; raises ProblemError (404) where none has the id."""
        with self._lock:
            first = self._by_id.get(self._of_clip.get(clip_id, ""))
            others = tuple(self._by_id.values()) if clip_id in self._of_clip else ()
        for library in (first, *others):  # the first may have been read anew, without it
            place = None if library is None else library.place_of.get(clip_id)
            if library is not None and place is not None:
                return library.clips[place], library
        with self._lock:
            lent = self._lent.get(clip_id)
        if lent is None:
            raise missing()
        return lent.clips[0], lent

    def lend(self, library: Library, clips: Mapping[str, tuple[Clip, str]]) -> None:
        """Let clips be asked for that are no rows of a library: with their names, by their ids.

        They are parts of its videos, such as shots; the last `MOST_LENT` are known.
        """
        with self._lock:
            for one, (clip, name) in clips.items():
                if one not in self._of_clip:
                    self._lent[one] = replace(
                        library, clips=(clip,), ids=(one,), given_names=(name,), answers={},
                        failed={}, duplicates={},
                    )  # fmt: skip
                    self._lent.move_to_end(one)
            while len(self._lent) > MOST_LENT:
                self._lent.popitem(last=False)


def facts_of(library: Library, roots: Roots) -> LibraryFacts:
    """Return what a list says of a library."""
    return LibraryFacts(
        library.id,
        library.name,
        library.kind,
        len(library.clips),
        library.labels,
        library.classes,
        tuple(library.documents),
        library.warnings,
        library.frames,
        library.index is not None,
        _unreachable(library, roots),
    )


@lru_cache(maxsize=4096)
def _reached(folder: str, roots: Roots) -> bool:
    return roots.real(folder) is not None


def _unreachable(library: Library, roots: Roots) -> int:
    """Return how many clips lie in folders outside of the roots; no file is looked for."""
    outside = {folder for folder in library.folders if not _reached(folder, roots)}
    if not outside:
        return 0
    single = {str(place) for place in roots.places}
    return sum(
        os.path.dirname(c.path) in outside and c.path not in single  # noqa: PTH120
        for c in library.clips
    )


def table_of(library: Library) -> ClipTable:
    """Return the clips of a library by columns."""
    clips, ids = library.clips, library.ids
    answers = [library.answers.get(one) for one in ids] if library.answers else []
    return ClipTable(
        library.id,
        library.version,
        len(clips),
        ids,
        library.names,
        coded(clip.group for clip in clips),
        coded(clip.label for clip in clips),
        coded(clip.split for clip in clips),
        tuple(clip.start_seconds for clip in clips),
        tuple(clip.end_seconds for clip in clips),
        coded(None if answer is None else answer.predicted for answer in answers),
        tuple(None if answer is None else answer.probability for answer in answers),
        tuple(None if answer is None else answer.of_label for answer in answers),
        tuple(bool(answer and answer.declined) for answer in answers),
        coded(library.failed.get(one) for one in ids),
        tuple(library.duplicates.get(one, NONE) for one in ids),
    )
