"""Where the relative paths of a list start from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from vidfit.manifest.entries import folders_in
from vidfit.manifest.value import absolute, is_there, is_url

SAMPLE = 32
FOLDERS_TRIED = 200
_KEPT = 8 * SAMPLE

Item = TypeVar("Item")


@dataclass(frozen=True)
class Root:
    """The folder that relative paths start from, and how many of a sample of files are there."""

    folder: Path
    found: int
    sampled: int = 0

    @property
    def leads(self) -> bool:
        """Whether a file is there, or none is looked for, as at URLs."""
        return self.found > 0 or not self.sampled

    def path(self, written: str) -> str:
        """Return the absolute path of an entry; URLs and absolute paths stay as they are."""
        path = _with_slashes(written)
        return path if is_url(path) else absolute(self.folder / path)


def find_root(written: Sequence[str], folder: Path) -> Root:
    """Return where most of a sample of the local paths lie.

    Relative ones start at the list's folder, its parent, or a folder inside either of them; at
    the list's folder when nothing is found.
    """
    local = [path for path in map(_with_slashes, written) if not is_url(path)]
    sample = local[:: max(1, len(local) // SAMPLE)][:SAMPLE]
    best = Root(folder, -1)
    for candidate in _candidates(folder.absolute()):
        count = sum(is_there(candidate / path) for path in sample)
        if count > best.found:
            best = Root(candidate, count, len(sample))
        if count == len(sample) or all(map(os.path.isabs, sample)):
            break
    return best


def evenly(items: Iterable[Item], keep: Callable[[Item], bool] = bool) -> list[Item]:
    """Return a sample of the items, spread evenly over all of them."""
    kept: list[Item] = []
    stride = 1
    for i, item in enumerate(filter(keep, items)):
        if i % stride == 0:
            kept.append(item)
        if len(kept) == 2 * _KEPT:
            kept, stride = kept[::2], 2 * stride
    return kept


def _candidates(folder: Path) -> Iterator[Path]:
    yield folder
    yield folder.parent
    for parent in (folder, folder.parent):
        yield from islice(folders_in(parent), FOLDERS_TRIED)


def _with_slashes(path: str) -> str:
    """Turn the separators of a list written on Windows."""
    return path.replace("\\", "/") if "\\" in path and "/" not in path else path
