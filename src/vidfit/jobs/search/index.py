"""The index on disk: vectors of shots, which grows by segments and is never rebuilt.

Layout::

    root/<key of encoders and length of shots>/videos.json
                                              /<id>.look.npy      float32 [S, D], unit vectors
                                              /<id>.motion.npy    float32 [S, D]
                                              /<id>.parquet       rows: video, window, times
                                              /encoders.json      who looks (`encoders`)

A segment is there once its rows are, which are written last and whole; vectors are mapped into
memory, never read as a whole, and loading runs no code. A segment that does not fit together is
set aside, and its windows are looked at again.

Shape letters: S shots, D features.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vidfit.documents import to_json
from vidfit.errors import StoreError
from vidfit.files import enough_memory, new_file, write_whole
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.segments import (
    DTYPE,
    SCHEMA,
    VIDEOS,
    KnownVideo,
    ShotFile,
    may_answer,
    open_segment,
    read_videos,
)
from vidfit.jobs.search.shots import Shot

MANY_SEGMENTS = 32

_MERGED_SHOTS = 200_000


@dataclass(frozen=True)
class ShotRow:
    """A shot, the digest of its video, and the number of its window."""

    video: str
    window: int
    shot: Shot


class ShotIndex:
    """A folder of segments for one pair of encoders.

    Parameters
    ----------
    folder
        Made when something is first written. One process may write to it.
    widths
        Numbers of a vector, by way.

    Attributes
    ----------
    segments, videos, known
        Shots; videos by path; and the windows whose shots are here, by the digest of their video
        and their number.
    broken
        Files that were damaged and are set aside.
    """

    def __init__(self, folder: Path, widths: Mapping[str, int]) -> None:
        self.folder = folder
        self.widths = widths
        self.broken: list[str] = []
        self.known: set[tuple[str, int]] = set()
        self.segments: list[ShotFile] = [*self._read()]
        self.videos: dict[str, KnownVideo] = self._read_videos()

    def answers(self, asked: Query) -> list[NDArray[np.bool_]]:
        """Return which shots of each segment may be answers.

        Those of videos that are gone, or what was asked for itself, are none.
        """
        return may_answer(self.segments, self.videos.values(), asked)

    def add(self, rows: Sequence[ShotRow]) -> None:
        """Write shots as a new segment, all of them or none.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        if not rows:
            return
        table = pa.Table.from_pylist(
            [
                {
                    "video": row.video,
                    "window": row.window,
                    "start": row.shot.start_seconds,
                    "end": row.shot.end_seconds,
                    "key": row.shot.key_seconds,
                }
                for row in rows
            ],
            schema=SCHEMA,
        )
        ways = rows[0].shot.vectors
        vectors = {way: np.stack([row.shot.vectors[way] for row in rows]) for way in ways}
        self.segments.append(self._write(table, vectors))

    def save_videos(self, videos: Iterable[KnownVideo]) -> None:
        """Replace the list of videos; shots of others are no longer found."""
        self.videos = {known.path: known for known in videos}
        facts = [asdict(known) for known in self.videos.values()]
        write_whole(self.folder / VIDEOS, to_json(facts, indent=0).encode())

    def tidy(self) -> None:
        """Merge small segments once there are many, without the shots of videos that are gone."""
        small = [s for s in self.segments if len(s.rows) < _MERGED_SHOTS]
        if len(small) <= MANY_SEGMENTS:
            return
        present = {known.digest for known in self.videos.values()}
        kept = [np.isin(s.rows["video"].to_numpy(False), [*present]) for s in small]
        merged = []
        if any(keep.any() for keep in kept):
            rows = pa.concat_tables(
                s.rows.filter(pa.array(keep)) for s, keep in zip(small, kept, strict=True)
            )
            vectors = {
                way: np.concatenate(
                    [s.vectors[way][keep] for s, keep in zip(small, kept, strict=True)]
                )
                for way in small[0].vectors
            }
            merged = [self._write(rows, vectors)]
        self.segments = [s for s in self.segments if s not in small] + merged
        for segment in small:
            self._remove(segment.name)

    def _write(self, rows: pa.Table, vectors: Mapping[str, NDArray[Any]]) -> ShotFile:
        name = uuid.uuid4().hex
        for way, vectors_SD in vectors.items():
            with new_file(self.folder / f"{name}.{way}.npy") as stream:
                np.save(stream, vectors_SD.astype(DTYPE), allow_pickle=False)
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        write_whole(self.folder / f"{name}.parquet", sink.getvalue().to_pybytes())
        return open_segment(self.folder / f"{name}.parquet", self.widths)

    def _read(self) -> Iterator[ShotFile]:
        """Yield the segments that fit together, set others aside, and sweep what is unfinished."""
        for path in sorted(self.folder.glob("*.parquet"), key=lambda p: -p.stat().st_size):
            try:
                with enough_memory(path):
                    segment = open_segment(path, self.widths)
            except (ValueError, KeyError, OSError, EOFError, pa.ArrowException) as error:
                if getattr(error, "errno", None) and not isinstance(error, FileNotFoundError):
                    raise StoreError(f"cannot read the index in {path}: {error}") from error
                path.replace(path.with_suffix(".broken"))
                self.broken.append(path.name)
                continue
            pairs = {*zip(*(segment.rows[c].to_pylist() for c in ("video", "window")), strict=True)}
            if pairs <= self.known:  # a merge was interrupted before it had removed what it merged
                self._remove(segment.name)
                continue
            self.known |= pairs
            yield segment
        whole = {path.stem for path in self.folder.glob("*.parquet")}
        for path in self.folder.glob("*.npy"):
            if path.name.partition(".")[0] not in whole:
                path.unlink(missing_ok=True)

    def _remove(self, name: str) -> None:
        """Remove a segment: first its rows, without which the rest is swept."""
        for suffix in ("parquet", *(f"{way}.npy" for way in self.widths)):
            (self.folder / f"{name}.{suffix}").unlink(missing_ok=True)

    def _read_videos(self) -> dict[str, KnownVideo]:
        try:
            return read_videos(self.folder)
        except ValueError:  # they are looked at again; shots are kept
            self.broken.append(VIDEOS)
            return {}
