"""The clips of a folder, a table or a list, one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidfit.contracts import Clip, Failure
from vidfit.manifest.entries import is_own, list_folder
from vidfit.manifest.lists import lists_of
from vidfit.manifest.names import LIST_SUFFIXES, TABLE_SUFFIXES
from vidfit.manifest.photos import are_photos
from vidfit.manifest.rows import open_rows
from vidfit.manifest.shards import holds_shards, iter_members
from vidfit.manifest.value import absolute


def is_list(path: Path) -> bool:
    """Return whether a file is a list or a table, by its name."""
    return path.suffix.lower() in LIST_SUFFIXES | TABLE_SUFFIXES


def iter_clips(source: Path) -> Iterator[Clip | Failure]:
    """Yield the clips of a folder, a table or a list as they are read for a manifest.

    Memory does not grow with their number. A row that cannot be a clip is a failure, in its
    place.

    Parameters
    ----------
    source
        A folder, with its tables or lists, or searched with all that is in it, or of shards; a
        table or a list; see `vidfit.manifest.read_manifest`.

    Raises
    ------
    ManifestError
        If a table names no videos, or cannot be read.
    """
    if not source.is_dir():
        yield from open_rows(source.absolute())
        return
    folder = Path(absolute(source))
    for split, path in lists_of(folder):
        yield from open_rows(path, split)
    if not lists_of(folder):
        paths = (
            iter_members(str(folder))
            if holds_shards(folder)
            else _of_folder(folder, are_photos([folder]))
        )
        yield from map(Clip, paths)


def stream_layout(source: Path) -> str:
    """Return what `iter_clips` reads a source as.

    Raises
    ------
    ManifestError
        If a table names no videos, or cannot be read.
    """
    if not source.is_dir():
        return open_rows(source.absolute()).layout
    lists = lists_of(Path(absolute(source)))
    if lists:
        return " and ".join(open_rows(path).layout for _, path in lists)
    return "shards" if holds_shards(source) else "all videos, photos and folders of frames in it"


def _of_folder(folder: Path, photos: bool, above: frozenset[Path] = frozenset()) -> Iterator[str]:
    """Yield videos, and photos or folders of frames; those that vidfit wrote are passed over."""
    entries = list_folder(folder)
    if entries.is_frames and not photos:
        yield str(folder)
    yield from entries.videos
    yield from entries.images if photos else ()
    real = folder.resolve()
    for sub in entries.folders:
        if sub.resolve() not in above | {real} and not is_own(sub):
            yield from _of_folder(sub, photos, above | {real})
