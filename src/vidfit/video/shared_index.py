"""One packet index a file, shared by the readers that are open on it.

A long video is read by several threads at once: without this each would read the file to its end
for an index of its own.
"""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakValueDictionary

from vidfit.video.index import PacketIndex
from vidfit.video.member import is_url, split_member
from vidfit.video.opened import OpenStream
from vidfit.video.survey import survey

_Key = tuple[str, int, int, int]


class _Lock:
    """A lock that is forgotten with its last user."""

    def __init__(self) -> None:
        self.held = threading.Lock()


_kept: WeakValueDictionary[_Key, PacketIndex] = WeakValueDictionary()
_surveying: WeakValueDictionary[_Key, _Lock] = WeakValueDictionary()
_guard = threading.Lock()


def shared_index(opened: OpenStream) -> PacketIndex:
    """Return the index of a freshly opened stream: that of another reader, or a new one.

    It is kept for as long as a reader holds it, and for the very file: one that was written
    again is another. What lies at a URL or in a shard is not shared.

    Raises
    ------
    VideoError
        As `vidfit.video.survey.survey`.
    """
    key = _key(opened.path)
    if key is None:
        return survey(opened)
    with _guard:
        lock = _surveying.setdefault(key, _Lock())
    with lock.held:
        index = _kept.get(key)
        if index is None:
            index = _kept[key] = survey(opened)
        return index


def _key(path: str) -> _Key | None:
    if is_url(path) or split_member(path):
        return None
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return str(Path(path).absolute()), stat.st_ino, stat.st_size, stat.st_mtime_ns
