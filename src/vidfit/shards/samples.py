"""Samples as they lie in shards, found by the index and read with as few reads as can be."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from vidfit.contracts import Frames, Indices
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError, VidfitError
from vidfit.manifest.shards import inside, otherwise, read_document, read_index
from vidfit.video.archive import BLOCK_BYTES, ByteRange, advise, blocks, parse_header, read_into

Item = TypeVar("Item")
Row = Mapping[str, Any]

GAP_BYTES = 64 << 10
"""Reading this number of unwanted bytes costs less than another read."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample as it lies in its shard.

    Parameters
    ----------
    place
        In the order of the epoch.
    key
        Its name without suffixes.
    members
        By suffix, without the dot, the content: ``mp4`` (or as the file is called) or ``npy``,
        and ``json``.
    """

    place: int
    key: str
    members: Mapping[str, bytes]

    @property
    def facts(self) -> dict[str, Any]:
        """Label, group, split, text and span."""
        return dict(json_in(self.members["json"]))

    @property
    def frame_HWC(self) -> Frames:  # noqa: N802  (the shape is part of the name)
        """The frame uint8 [H, W, 3], where shards are by frame."""
        content = self.members["npy"]
        start = 10 + int.from_bytes(content[8:10], "little")
        pixels = np.frombuffer(content, np.uint8, offset=start)
        return pixels.reshape(_shape(content[:start])).copy()  # may be written to

    @property
    def video(self) -> bytes:
        """The file, where shards are by video."""
        return next(content for name, content in self.members.items() if name != "json")


@dataclass(frozen=True)
class IndexRows:
    """The index of the shards that are read, as arrays: rows R, shards S."""

    root: str
    identity: str
    shards: tuple[str, ...]
    keys: tuple[str, ...]
    shard_R: Indices
    offset_R: Indices
    stride_R: Indices
    frames_R: Indices
    first_R: Indices
    starts_S: Indices

    @classmethod
    def read(cls, root: str, split: str | None) -> IndexRows:
        """Read the index of a folder or URL; ``None`` takes all splits.

        Raises
        ------
        ManifestError
            If there are no finished shards, or their index is damaged.
        VidfitError
            If none is of that split.
        """
        document = read_document(root)
        table = read_index(root, ["key", "shard", "offset", "bytes", "frames", "split"])
        rows = [row for row in table.to_pylist() if split in (None, row["split"])]
        if not rows:
            found = sorted({str(name) for name in table["split"].to_pylist()})
            raise VidfitError(
                f"{root} holds no samples of the split {split!r}; there are {', '.join(found)}"
            )
        try:
            sums = {s["name"]: s.get("digest", s.get("sha256")) for s in document["shards"]}
            return cls._of(root, split, rows, sums)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise otherwise(root, error) from error

    @classmethod
    def _of(
        cls, root: str, split: str | None, rows: Sequence[Row], sums: Mapping[str, Any]
    ) -> IndexRows:
        shards = tuple(dict.fromkeys(inside(row["shard"]) for row in rows))
        numbers = {name: number for number, name in enumerate(shards)}
        frames_R = np.array([row["frames"] for row in rows], np.int64)
        count_R = np.maximum(frames_R, 1)
        shard_R = np.array([numbers[row["shard"]] for row in rows], np.int64)
        size_S = np.bincount(shard_R, count_R, len(shards)).astype(np.int64)
        offset_R = np.array([row["offset"] for row in rows], np.int64)
        stride_R = np.array([row["bytes"] for row in rows], np.int64) // count_R
        if (offset_R < 0).any() or (stride_R < BLOCK_BYTES).any():
            raise ValueError("a sample has no place in its shard")
        return cls(
            root,
            to_json([split, [sums.get(name) for name in shards]]),
            shards,
            tuple(row["key"] for row in rows),
            shard_R,
            offset_R,
            stride_R,
            frames_R,
            np.cumsum(count_R) - count_R,
            np.concatenate([[0], np.cumsum(size_S)]),
        )

    def where(self, samples_N: Indices) -> tuple[Indices, Indices, Indices]:
        """Return row, first byte and length of samples."""
        rows_N = np.searchsorted(self.first_R, samples_N, "right") - 1
        stride_N = self.stride_R[rows_N]
        start_N = self.offset_R[rows_N] + (samples_N - self.first_R[rows_N]) * stride_N
        return rows_N, start_N, stride_N

    def key(self, row: int, sample: int) -> str:
        """Return the name of a sample."""
        if not self.frames_R[row]:
            return self.keys[row]
        return f"{self.keys[row]}/{sample - int(self.first_R[row]):06d}"

    def read_samples(self, place: int, samples_N: Indices, most_bytes: int) -> Iterator[Sample]:
        """Yield samples in their order, reading a limited number of bytes at once.

        Parameters
        ----------
        place
            Of the first in the epoch.

        Raises
        ------
        VideoError
            If a shard is missing or cut short.
        StoreError
            If a shard is not what the index says.
        """
        rows_N, start_N, size_N = self.where(samples_N)
        edges = itertools.pairwise(_pieces(size_N, most_bytes))
        pieces = (
            (slice(*edge), self._runs(self.shard_R[rows_N[slice(*edge)]], start_N, size_N, edge))
            for edge in edges
        )
        buffer = bytearray()
        for (part, runs), following in _with_next(pieces):
            for run in following[1] if following else ():
                advise(run.archive, [run.span])  # is read while this piece is handed out
            needed = sum(run.span.size for run in runs)
            if len(buffer) < needed:
                buffer = bytearray(needed)
            found = _read(runs, memoryview(buffer))
            for i in range(part.start, part.stop):
                key = self.key(int(rows_N[i]), int(samples_N[i]))
                yield Sample(place + i, key, self._members(key, found[i]))

    def _runs(
        self, shard_N: Indices, starts: Indices, sizes: Indices, edge: tuple[int, int]
    ) -> list[_Run]:
        """Return what is read at once: samples of a piece that stand side by side."""
        low, high = edge
        start_N, end_N = starts[low:high], starts[low:high] + sizes[low:high]
        order = np.lexsort((start_N, shard_N))
        apart = (np.diff(shard_N[order]) > 0) | (start_N[order[1:]] - end_N[order[:-1]] > GAP_BYTES)
        runs = []
        for some in np.split(order, np.flatnonzero(apart) + 1):
            first, last = int(start_N[some[0]]), int(end_N[some[-1]])
            inside = [(low + int(j), int(start_N[j]) - first, int(end_N[j]) - first) for j in some]
            archive = f"{self.root}/{self.shards[int(shard_N[some[0]])]}"
            runs.append(_Run(archive, ByteRange(first, last - first), inside))
        return runs

    def _members(self, key: str, content: memoryview) -> dict[str, bytes]:
        members, at = {}, 0
        while at < len(content):
            try:
                name, size = parse_header(bytes(content[at : at + BLOCK_BYTES]), at)
            except ValueError as error:
                raise self._damaged(key, str(error)) from error
            if not name.startswith(f"{key}."):
                raise self._damaged(key, f"{name} stands in its place")
            body = at + BLOCK_BYTES
            members[name[len(key) + 1 :]] = bytes(content[body : body + size])
            at = body + blocks(size)
        if at > len(content):
            raise self._damaged(key, "it is longer")
        if "json" not in members or len(members) == 1:
            raise self._damaged(key, f"it holds {', '.join(members)} alone")
        return members

    def _damaged(self, key: str, why: str) -> StoreError:
        return StoreError(
            f"{self.root}: the sample {key} is not where the index says ({why}); the shard "
            "was changed or damaged: copy it again, or shard again"
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """Bytes that are read at once, and by number of sample where each is in them."""

    archive: str
    span: ByteRange
    inside: list[tuple[int, int, int]]


def _read(runs: Sequence[_Run], buffer: memoryview) -> dict[int, memoryview]:
    """Read runs one after another, and return the bytes of each sample."""
    found, at = {}, 0
    for run in runs:
        whole = buffer[at : at + run.span.size]
        read_into(run.archive, run.span, whole)
        for number, start, end in run.inside:
            found[number] = whole[start:end]
        at += run.span.size
    return found


def _with_next(items: Iterable[Item]) -> Iterator[tuple[Item, Item | None]]:
    """Yield each item with the one that follows."""
    left = iter(items)
    item = next(left, None)
    while item is not None:
        following = next(left, None)
        yield item, following
        item = following


@lru_cache(maxsize=16)
def _shape(header: bytes) -> tuple[int, ...]:
    """Return the shape that the header of a .npy of frames tells.

    Raises
    ------
    ValueError
        If it is of something else.
    """
    stream = io.BytesIO(header)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("no .npy of a frame")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(stream)
    if by_column or kind != np.uint8:
        raise ValueError(f"no .npy of a frame, but of {kind}")
    return tuple(shape)


def _pieces(size_N: Indices, most_bytes: int) -> list[int]:
    """Return where to cut samples into pieces of limited bytes, of one sample at least."""
    edges, held = [0], 0
    for i, size in enumerate(size_N.tolist()):
        if held and held + size > most_bytes:
            edges.append(i)
            held = 0
        held += size
    return [*edges, len(size_N)]
