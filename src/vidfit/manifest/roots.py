"""Where the relative paths of a list start from."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from vidfit.manifest.value import absolute, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SAMPLE = 32
FOLDERS_TRIED = 200


def resolve_paths(paths: Sequence[str], folder: Path) -> list[str]:
    """Return absolute paths of the entries of a list.

    Relative ones start at the list's folder, its parent, or a folder inside either of them,
    whichever holds most of a sample; at the list's folder when nothing is found. URLs and
    absolute paths stay as they are.
    """
    local = [_with_slashes(path) for path in paths]
    relative = [path for path in local if not is_url(path) and not os.path.isabs(path)]  # noqa: PTH117
    root = find_root(relative, folder) if relative else folder
    return [path if is_url(path) else absolute(root / path) for path in local]


def find_root(relative: Sequence[str], folder: Path) -> Path:
    """Return the folder that most of a sample of the relative paths start from."""
    sample = relative[:: max(1, len(relative) // SAMPLE)][:SAMPLE]
    best, best_count = folder, -1
    for candidate in _candidates(folder.absolute()):
        count = sum((candidate / path).exists() for path in sample)
        if count > best_count:
            best, best_count = candidate, count
        if count == len(sample):
            break
    return best


def _candidates(folder: Path) -> Iterator[Path]:
    yield folder
    yield folder.parent
    for parent in (folder, folder.parent):
        inside = (path for path in sorted(parent.iterdir()) if path.is_dir())
        yield from islice(inside, FOLDERS_TRIED)


def _with_slashes(path: str) -> str:
    """Turn the separators of a list written on Windows."""
    return path.replace("\\", "/") if "\\" in path and "/" not in path else path
