"""What is sent of libraries and clips.

Tables of clips are sent by columns: 100,000 clips are one request.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

NONE = -1
"""Place of what has no value in a `CodedColumn`, and set of a clip that looks like no other."""


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """A column of texts of which many are alike: row i has ``values[codes[i]]``, or none at -1."""

    values: tuple[str, ...]
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LibraryFacts:
    """What a list of libraries says of one."""

    id: str
    name: str
    kind: Literal["run", "videos"]
    clip_count: int
    labels: Literal["one", "several", "number"]
    classes: tuple[str, ...]
    documents: tuple[str, ...]
    warnings: tuple[str, ...]
    frames: Literal["", "boxes", "masks", "faces"]
    """What is in its frames, of what is looked at frame by frame."""
    searchable: bool
    """Whether it has an index of shots."""
    unreachable_count: int
    """Clips whose folder lies outside of those that the server was started with, or is gone."""


@dataclass(frozen=True, slots=True)
class LibraryList:
    """All libraries that are open, and what this client may do."""

    libraries: tuple[LibraryFacts, ...]
    person: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class ClipTable:
    """The clips of a library by columns, all of one length.

    ``predicted``, ``probability``, ``probability_of_label`` and ``declined`` are of the run's
    model, which has not seen the clip's recording; they are empty where there is no run.
    ``duplicate_set`` is the number of the set of clips that look the same, or -1.
    """

    library: str
    version: str
    count: int
    id: tuple[str, ...]
    name: tuple[str, ...]
    recording: CodedColumn
    label: CodedColumn
    split: CodedColumn
    start_seconds: tuple[float, ...]
    end_seconds: tuple[float | None, ...]
    predicted: CodedColumn
    probability: tuple[float | None, ...]
    probability_of_label: tuple[float | None, ...]
    declined: tuple[bool, ...]
    failed: CodedColumn
    duplicate_set: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Where the poster, the strip and the proxy of a clip are.

    ``why`` says of what failed, and of a proxy that is not wanted yet, why.
    """

    still: Literal["ready", "waiting", "failed", "unasked"]
    proxy: Literal["ready", "waiting", "failed", "unasked"]
    why: str


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What is known of one clip.

    ``media`` is whether its video can be sent: it is there, below a root, and a video.
    ``media_type`` is of the file itself, which a browser may still refuse; then ask for the proxy.
    """

    id: str
    name: str
    library: str
    label: str | None
    recording: str
    start_seconds: float
    end_seconds: float | None
    media: bool
    media_type: str
    preview: Preview


def coded(texts: Iterable[str | None]) -> CodedColumn:
    """Return a column with each text once, in order of appearance."""
    places: dict[Hashable, int] = {}
    codes = tuple(NONE if text is None else places.setdefault(text, len(places)) for text in texts)
    return CodedColumn(tuple(map(str, places)), codes)
