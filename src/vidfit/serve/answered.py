"""The first lines of what `vidfit predict` wrote: of which format it is, and of which video."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidfit.documents import json_in

_HEAD_BYTES = 8192
_LINES = 4


@dataclass(frozen=True, slots=True)
class AnswersHead:
    """Format of a file of answers, and the video that they are of; either may be empty."""

    format: str
    video: str


def head_of(path: Path) -> AnswersHead:
    """Read the head of a file of answers, and no more: they may be long.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        lines = stream.read(_HEAD_BYTES).decode("utf-8", "replace").split("\n")[:_LINES]
    said = {"format": "", "path": ""}
    for line in lines:
        name, _, value = line.strip().partition(": ")
        for known in said:
            if name == f'"{known}"':
                with suppress(ValueError):
                    said[known] = str(json_in(value.rstrip(",")))
    return AnswersHead(said["format"], said["path"])
