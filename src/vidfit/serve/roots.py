"""Which files the server may open: those below the folders that it was started with."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders, and single files, whose content may be sent; links in their names are followed.

    Parameters
    ----------
    places
        Real paths: without links, ``..`` and the like.
    """

    places: tuple[Path, ...] = ()

    def joined(self, *places: Path) -> Roots:
        """Return these and others, which are resolved."""
        return Roots((*self.places, *(place.resolve() for place in places)))

    def real(self, path: str) -> Path | None:
        """Return where a file or folder really is, if it is there and lies below a root.

        A link out of the roots gives ``None``, as what is missing does.
        """
        try:
            real = Path(os.path.realpath(path, strict=True))
        except (OSError, ValueError):  # not there, a loop of links, or NUL in its name
            return None
        return real if any(real.is_relative_to(place) for place in self.places) else None

    def file(self, path: str) -> Path | None:
        """Return as `real` does, of a regular file only."""
        real = self.real(path)
        return real if real and stat.S_ISREG(real.stat().st_mode) else None


def canonical(path: str, seen: dict[str, str]) -> str:
    """Return a path whose folder has no links; ``seen`` remembers folders from call to call."""
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
    if folder not in seen:
        seen[folder] = os.path.realpath(folder)
    return f"{seen[folder].rstrip(os.sep)}{os.sep}{name}"
