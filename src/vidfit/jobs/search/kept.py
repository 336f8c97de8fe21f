"""An index as it lies on disk, asked by shots that it has: no encoder is loaded, nothing changed.

Shape letters: Q vectors of the query, D features.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vidfit.contracts import Floats
from vidfit.files import enough_memory
from vidfit.jobs.search.nearest import nearest_shots
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.segments import KnownVideo, ShotFile, open_segment, read_videos
from vidfit.jobs.search.value import Hit

WAYS = ("look", "motion")
MOST_ASKED = 64
"""Shots that a query is made of: those of an hour would be compared for minutes."""


@dataclass(frozen=True)
class KeptShots:
    """The shots of an index, and its videos by path.

    Attributes
    ----------
    broken
        How many segments are damaged, and left out.
    """

    segments: tuple[ShotFile, ...]
    videos: Mapping[str, KnownVideo]
    broken: int = 0

    def vectors_of(self, digest: str, span: tuple[float, float]) -> dict[str, Floats]:
        """Return the vectors [Q, D], by way, of what of a video lies in a span of seconds.

        Those are the shots whose key frames do; where none does, the shot that most of the span
        is of; of more than `MOST_ASKED` some, spread evenly. Nothing is returned of a video that
        has no shot there.
        """
        rows = [(n, row) for n, row, _ in self._rows_of(digest, span)]
        rows = rows[:: max(1, -(-len(rows) // MOST_ASKED))]
        if not rows:
            return {}
        return {
            way: np.stack([self.segments[n].vectors[way][row] for n, row in rows])
            for way in self.segments[rows[0][0]].vectors
        }

    def _rows_of(self, digest: str, span: tuple[float, float]) -> list[tuple[int, int, float]]:
        """Return segment, row and seconds in the span of the shots that stand for it."""
        start, end = span
        inside: list[tuple[int, int, float]] = []
        beside: list[tuple[int, int, float]] = []
        for number, segment in enumerate(self.segments):
            column = segment.rows.column
            near = pc.and_(
                pc.equal(column("video"), digest),
                pc.and_(pc.less(column("start"), end), pc.greater(column("end"), start)),
            )
            for row in np.flatnonzero(near.to_numpy()).tolist():
                one = segment.rows.slice(row, 1).to_pylist()[0]
                shared = min(one["end"], end) - max(one["start"], start)
                of = inside if start <= one["key"] < end else beside
                of.append((number, row, shared))
        return inside or sorted(beside, key=lambda one: -one[2])[:1]

    def nearest(
        self,
        way: str,
        vectors_QD: Floats,
        asked: Query,
        videos: Collection[KnownVideo],
        count: int,
    ) -> tuple[Hit, ...]:
        """Return the shots of some of the videos that are nearest to any of the vectors."""
        found = nearest_shots(way, vectors_QD, asked, self.segments, videos, count)
        # Of a merge that was interrupted, shots are there twice.
        return tuple({(h.path, h.start_seconds, h.end_seconds): h for h in found}.values())

    def some(self, videos: Collection[KnownVideo], count: int) -> tuple[Hit, ...]:
        """Return a shot from the middle of each of some videos, spread evenly over all."""
        step = max(1, -(-len(videos) // count))
        chosen = {one.digest: one for one in [*videos][::step]}
        found: dict[str, Hit] = {}
        for segment in self.segments:
            wanted = pc.is_in(
                segment.rows.column("video"), value_set=pa.array([*chosen], pa.string())
            )
            for row in segment.rows.filter(wanted).to_pylist():
                known = chosen[row["video"]]
                hit = Hit(known.path, row["start"], row["end"], row["key"], 0.0)
                before, middle = found.get(known.digest), known.duration_seconds / 2
                if before is None or abs(hit.key_seconds - middle) < abs(
                    before.key_seconds - middle
                ):
                    found[known.digest] = hit
        return tuple(found[digest] for digest in chosen if digest in found)


def read_index(folder: Path) -> KeptShots:
    """Open the index in a folder of segments; what is damaged is left out.

    Raises
    ------
    ValueError
        If its list of videos is damaged.
    StoreError
        If memory is short.
    """
    segments: list[ShotFile] = []
    paths = sorted(folder.glob("*.parquet"), key=lambda path: path.name)
    widths: dict[str, int] = {}
    for path in paths:
        with (
            suppress(ValueError, KeyError, OSError, EOFError, pa.ArrowException),
            enough_memory(path),
        ):
            widths = widths or dict(_widths(path))
            segments.append(open_segment(path, widths))
    return KeptShots(tuple(segments), read_videos(folder), len(paths) - len(segments))


def _widths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the ways of a segment, and how many numbers its vectors have."""
    for way in WAYS:
        found = np.load(path.with_name(f"{path.stem}.{way}.npy"), "r", allow_pickle=False)
        yield way, int(found.shape[1])
