"""What lies in an index: segments of shots, mapped into memory, and the list of its videos.

Reading changes nothing on disk, so that an index may be searched while another process adds to it.

Shape letters: S shots, D features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vidfit.documents import json_in
from vidfit.files import read_parquet
from vidfit.jobs.search.query import Query

DTYPE = np.dtype("<f4")
MOST_SECONDS = 5e6
"""No video is longer: two months."""

SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("window", pa.int64()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("key", pa.float64()),
    ]
)
VIDEOS = "videos.json"


@dataclass(frozen=True)
class KnownVideo:
    """A video as it was when it was last looked at; ``digest`` is of its bytes."""

    path: str
    bytes: int
    modified: int
    digest: str
    duration_seconds: float


@dataclass(frozen=True)
class ShotFile:
    """Shots that were written together: their rows, and vectors by way, mapped into memory."""

    name: str
    rows: pa.Table
    vectors: Mapping[str, NDArray[Any]]


def open_segment(path: Path, widths: Mapping[str, int]) -> ShotFile:
    """Open the segment whose rows are in a file; vectors have these numbers, by way.

    Raises
    ------
    ValueError, KeyError, OSError, EOFError, ArrowException
        If it is damaged, or does not fit together.
    """
    rows = read_parquet(path).select(SCHEMA.names).cast(SCHEMA)
    vectors = {}
    for way, width in widths.items():
        file = path.with_name(f"{path.stem}.{way}.npy")
        found = np.load(file, mmap_mode="r", allow_pickle=False)
        if found.shape != (len(rows), width) or found.dtype != DTYPE:
            raise ValueError(f"{file} does not fit its rows")
        vectors[way] = found
    return ShotFile(path.stem, rows, vectors)


def may_answer(
    segments: Sequence[ShotFile], videos: Iterable[KnownVideo], asked: Query
) -> list[NDArray[np.bool_]]:
    """Return which shots of each segment may be answers.

    Those of other videos, or what was asked for itself, are none.
    """
    present = pa.array([*{known.digest for known in videos}], pa.string())
    start, end = asked.span
    found = []
    for segment in segments:
        column = segment.rows.column
        of_query = pc.equal(column("video"), asked.digest)
        inside = pc.and_(pc.less(column("start"), end), pc.greater(column("end"), start))
        itself = pc.and_(of_query, inside)
        there = pc.is_in(column("video"), value_set=present)
        found.append(pc.and_not(there, itself).to_numpy())
    return found


def read_videos(folder: Path) -> dict[str, KnownVideo]:
    """Return the videos of an index by their paths; none where there is no list.

    Raises
    ------
    ValueError
        If the list is damaged.
    """
    try:
        rows = json_in((folder / VIDEOS).read_bytes())
        return {one["path"]: _checked(**one) for one in rows}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{folder / VIDEOS} is no list of videos: {error}") from error


def _checked(
    path: str, bytes: int, modified: int, digest: str, duration_seconds: float
) -> KnownVideo:
    """Return a video of a list that anybody may have written."""
    texts, numbers = (path, digest), (bytes, modified, duration_seconds)
    is_right = all(isinstance(one, str) for one in texts) and all(
        isinstance(one, int | float) for one in numbers
    )
    if not is_right or not 0 <= duration_seconds <= MOST_SECONDS:
        raise ValueError(f"{path!r} is no video that was looked at")
    return KnownVideo(path, bytes, modified, digest, duration_seconds)
