"""The index on disk: vectors of shots, which grows by segments and is never rebuilt.

Layout::

    root/<key of encoders and length of shots>/videos.json
                                              /<id>.look.npy      float32 [S, D], unit vectors
                                              /<id>.motion.npy    float32 [S, D]
                                              /<id>.parquet       rows: video, window, times

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
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import new_file, read_parquet, write_whole
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.shots import Shot

DTYPE = np.dtype("<f4")
MANY_SEGMENTS = 32
MOST_SECONDS = 5e6
"""No video is longer: two months."""

_MERGED_SHOTS = 200_000
_SCHEMA = pa.schema(
    [
        ("video", pa.string()),
        ("window", pa.int64()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("key", pa.float64()),
    ]
)
_VIDEOS = "videos.json"


@dataclass(frozen=True)
class KnownVideo:
    """A video as it was when it was last looked at; ``digest`` is of its bytes."""

    path: str
    bytes: int
    modified: int
    digest: str
    duration_seconds: float


@dataclass(frozen=True)
class ShotRow:
    """A shot, the digest of its video, and the number of its window."""

    video: str
    window: int
    shot: Shot


@dataclass(frozen=True)
class ShotFile:
    """Shots that were written together: their rows, and vectors by way, mapped into memory."""

    name: str
    rows: pa.Table
    vectors: Mapping[str, NDArray[Any]]


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
        present = pa.array([*{known.digest for known in self.videos.values()}], pa.string())
        start, end = asked.span
        found = []
        for segment in self.segments:
            column = segment.rows.column
            of_query = pc.equal(column("video"), asked.digest)
            inside = pc.and_(pc.less(column("start"), end), pc.greater(column("end"), start))
            itself = pc.and_(of_query, inside)
            there = pc.is_in(column("video"), value_set=present)
            found.append(pc.and_not(there, itself).to_numpy())
        return found

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
            schema=_SCHEMA,
        )
        ways = rows[0].shot.vectors
        vectors = {way: np.stack([row.shot.vectors[way] for row in rows]) for way in ways}
        self.segments.append(self._write(table, vectors))

    def save_videos(self, videos: Iterable[KnownVideo]) -> None:
        """Replace the list of videos; shots of others are no longer found."""
        self.videos = {known.path: known for known in videos}
        facts = [asdict(known) for known in self.videos.values()]
        write_whole(self.folder / _VIDEOS, to_json(facts, indent=0).encode())

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
        return self._open(self.folder / f"{name}.parquet")

    def _read(self) -> Iterator[ShotFile]:
        """Yield the segments that fit together, set others aside, and sweep what is unfinished."""
        for path in sorted(self.folder.glob("*.parquet"), key=lambda p: -p.stat().st_size):
            try:
                segment = self._open(path)
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

    def _open(self, path: Path) -> ShotFile:
        rows = read_parquet(path).select(_SCHEMA.names).cast(_SCHEMA)
        vectors = {}
        for way, width in self.widths.items():
            file = path.with_name(f"{path.stem}.{way}.npy")
            found = np.load(file, mmap_mode="r", allow_pickle=False)
            if found.shape != (len(rows), width) or found.dtype != DTYPE:
                raise ValueError(f"{file} does not fit its rows")
            vectors[way] = found
        return ShotFile(path.stem, rows, vectors)

    def _remove(self, name: str) -> None:
        """Remove a segment: first its rows, without which the rest is swept."""
        for suffix in ("parquet", *(f"{way}.npy" for way in self.widths)):
            (self.folder / f"{name}.{suffix}").unlink(missing_ok=True)

    def _read_videos(self) -> dict[str, KnownVideo]:
        path = self.folder / _VIDEOS
        try:
            return {one["path"]: _checked(**one) for one in json_in(path.read_bytes())}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (
            ValueError,
            TypeError,
            KeyError,
            RecursionError,
        ):  # they are looked at again; shots are kept
            self.broken.append(path.name)
            return {}


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
