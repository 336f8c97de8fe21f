"""Files and lists that forms of data sets are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path], Path]
"""Makes files in a folder and returns the source to read."""

TWO = ("a.mp4", "b.mp4")


@dataclass(frozen=True)
class Form:
    """A form in which clips are kept: its name in the table, and what makes one."""

    name: str
    make: Make


def write(folder: Path, *names: str) -> None:
    """Write files, each with its own name as content; a name that ends in a slash is a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(f"{name}\n" * 64)


def clips(*folders: str, of: int = 2, ending: str = ".mp4") -> list[str]:
    """Return names of clips, so many for each folder, no two alike."""
    names = [f"{folder}/{folder.replace('/', '-')}" for folder in folders]
    return [f"{name}-{'abcdefgh'[i]}{ending}" for name in names for i in range(of)]


def crossed(outer: tuple[str, ...], inner: tuple[str, ...]) -> list[str]:
    """Return clips of all inner folders in all outer ones."""
    return clips(*(f"{one}/{other}" for one in outer for other in inner))


def tree(*names: str) -> Make:
    """Return what makes files and gives the folder as source."""

    def make(folder: Path) -> Path:
        write(folder, *names)
        return folder

    return make


def rows(
    *lines: str, files: tuple[str, ...] = TWO, name: str = "list.csv", encoding: str = "utf-8"
) -> Make:
    """Return what makes files and a list of these lines beside them, the source."""

    def make(folder: Path) -> Path:
        write(folder, *files)
        (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        return folder / name

    return make
