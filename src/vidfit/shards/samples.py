"""Samples as they lie in shards, found by the index and read with as few reads as can be."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Frames, Indices
from vidfit.errors import StoreError, VidfitError
from vidfit.manifest.shards import read_document, read_index
from vidfit.video.member import BLOCK_BYTES, Span, blocks, parse_header, read_span

GAP_BYTES = 64 << 10
"""Reading so many bytes that nobody wants costs less than another read."""


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
        return dict(json.loads(self.members["json"]))

    @property
    def frame_HWC(self) -> Frames:  # noqa: N802  (the shape is part of the name)
        """The frame uint8 [H, W, 3], where shards are by frame."""
        return np.asarray(np.load(io.BytesIO(self.members["npy"]), allow_pickle=False), np.uint8)

    @property
    def video(self) -> bytes:
        """The file, where shards are by video."""
        return next(content for name, content in self.members.items() if name != "json")


@dataclass(frozen=True)
class Rows:
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
    def read(cls, root: str, split: str | None) -> Rows:
        """Read the index of a folder or URL; ``None`` takes all splits.

        Raises
        ------
        ManifestError
            If there are no finished shards.
        VidfitError
            If none is of that split.
        """
        document, table = read_document(root), read_index(root)
        table = table.select(["key", "shard", "offset", "bytes", "frames", "split"])
        rows = [row for row in table.to_pylist() if split in (None, row["split"])]
        if not rows:
            found = sorted({str(name) for name in table["split"].to_pylist()})
            raise VidfitError(
                f"{root} holds no samples of the split {split!r}; there are {', '.join(found)}"
            )
        shards = tuple(dict.fromkeys(row["shard"] for row in rows))
        numbers = {name: number for number, name in enumerate(shards)}
        frames_R = np.array([row["frames"] for row in rows], np.int64)
        count_R = np.maximum(frames_R, 1)
        shard_R = np.array([numbers[row["shard"]] for row in rows], np.int64)
        size_S = np.bincount(shard_R, count_R, len(shards)).astype(np.int64)
        sums = {s["name"]: s["sha256"] for s in document["shards"]}
        return cls(
            root,
            json.dumps([split, [sums.get(name) for name in shards]]),
            shards,
            tuple(row["key"] for row in rows),
            shard_R,
            np.array([row["offset"] for row in rows], np.int64),
            np.array([row["bytes"] for row in rows], np.int64) // count_R,
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
        """Yield samples in their order, reading at most so many bytes at once.

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
        for low, high in itertools.pairwise(_pieces(size_N, most_bytes)):
            part = slice(low, high)
            data = self._fetched(self.shard_R[rows_N[part]], start_N[part], size_N[part])
            for i, content in enumerate(data, low):
                key = self.key(int(rows_N[i]), int(samples_N[i]))
                yield Sample(place + i, key, self._members(key, content))

    def _fetched(self, shard_N: Indices, start_N: Indices, size_N: Indices) -> list[memoryview]:
        """Return the bytes of samples; what stands side by side is read at once."""
        found: list[memoryview] = [memoryview(b"")] * len(shard_N)
        order = np.lexsort((start_N, shard_N))
        end_N = start_N + size_N
        first = 0
        for i in range(1, len(order) + 1):
            last = order[i - 1]
            together = i < len(order) and shard_N[order[i]] == shard_N[last]
            if together and start_N[order[i]] - end_N[last] <= GAP_BYTES:
                continue
            run = order[first:i]
            low, high = int(start_N[run[0]]), int(end_N[run[-1]])
            archive = f"{self.root}/{self.shards[int(shard_N[last])]}"
            whole = memoryview(read_span(archive, Span(low, high - low)))
            for j in run:
                found[j] = whole[int(start_N[j]) - low : int(end_N[j]) - low]
            first = i
        return found

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
        return members

    def _damaged(self, key: str, why: str) -> StoreError:
        return StoreError(
            f"{self.root}: the sample {key} is not where the index says ({why}); the shard "
            "was changed or damaged: copy it again, or shard again"
        )


def _pieces(size_N: Indices, most_bytes: int) -> list[int]:
    """Return where to cut samples into pieces of at most so many bytes, of one at least."""
    edges, held = [0], 0
    for i, size in enumerate(size_N.tolist()):
        if held and held + size > most_bytes:
            edges.append(i)
            held = 0
        held += size
    return [*edges, len(size_N)]
