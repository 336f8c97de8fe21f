"""The frames of the libraries that are open, read when they are first asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.serve.boxes.book import (
    ANSWERS,
    FrameBook,
    answered_book,
    boxes_in,
    found_book,
    listed_book,
)
from vidfit.serve.library import Library, clip_ids

_KEPT = 4
"""Libraries whose frames are held."""


class FramesOf:
    """The frames of a library, with its clips by file."""

    def __init__(self, library: Library, book: FrameBook) -> None:
        self.library, self.book = library, book

    @cached_property
    def first_of(self) -> Mapping[str, int]:
        """Place of the first clip of each file."""
        found: dict[str, int] = {}
        for place, clip in enumerate(self.library.clips):
            found.setdefault(clip.path, place)
        return found

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Path of each file by the id of its whole."""
        paths = tuple(self.first_of)
        return dict(zip(clip_ids(Clip(path) for path in paths), paths, strict=True))


class FrameShelf:
    """Frames by library; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], FramesOf] = OrderedDict()

    def of(self, library: Library) -> FramesOf:
        """Return the frames of a library; none where it has none, or they are damaged."""
        path = library.source / ANSWERS if "report" in library.documents else library.source
        try:
            key = library.version, path.stat().st_mtime_ns
        except OSError:
            return FramesOf(library, FrameBook(library.classes))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = FramesOf(library, _read(library))
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _read(library: Library) -> FrameBook:
    if "report" in library.documents:
        with suppress(ManifestError):
            return answered_book(library.source / ANSWERS)
    elif library.kind == "run":
        return found_book(library.source)
    elif library.frames and (found := boxes_in(library.source)):
        return listed_book(found)
    return FrameBook(library.classes)
