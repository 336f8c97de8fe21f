"""Write an answer into a directory, so that no reader ever sees half of it."""

from __future__ import annotations

from pathlib import Path

from vidfit.files import write_whole


def write_answer(
    directory: Path, name: str, *, page: str, data: str, picture: str | None = None
) -> Path:
    """Write ``NAME.json``, ``NAME.svg`` and, last, ``NAME.html``; return the path of the page.

    The directory is made if it is missing; files of an earlier answer are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / f"{name}.json", data.encode())
    if picture is not None:
        write_whole(directory / f"{name}.svg", picture.encode())
    return write_whole(directory / f"{name}.html", page.encode())
