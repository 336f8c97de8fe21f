"""Frames of clips in tar shards, as an array that is read by rows: one range read a clip."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Indices
from vidfit.errors import StoreError
from vidfit.video.archive import BLOCK_BYTES, ByteRange, read_span
from vidfit.video.member import find


@dataclass(frozen=True)
class FramesInShards:
    """Frames of clips as an array [M, V, T, H, W, 3], like `FilesOfFrames`.

    Parameters
    ----------
    archives
        Shards, as paths or URLs.
    shape
        Of a clip: [V, T, H, W, 3].
    archive_M, start_M, stride_M
        The shard of each clip, where its first frame begins with its header, and the bytes from
        there to the next.
    """

    archives: tuple[str, ...]
    shape: tuple[int, ...]
    archive_M: Indices
    start_M: Indices
    stride_M: Indices

    @classmethod
    def of(cls, paths: Sequence[str], shape: tuple[int, ...]) -> FramesInShards:
        """Find clips, ``A.tar::NAME``, in their shards.

        Raises
        ------
        VideoError
            If a shard is missing or damaged.
        """
        found = [find(path)[:2] for path in paths]
        archives = tuple(dict.fromkeys(archive for archive, _ in found))
        numbers = {archive: number for number, archive in enumerate(archives)}
        count = shape[0] * shape[1]
        return cls(
            archives,
            shape,
            np.array([numbers[archive] for archive, _ in found], np.int64),
            np.array([span.start for _, span in found], np.int64),
            np.array([span.size // count for _, span in found], np.int64),
        )

    def __len__(self) -> int:
        return len(self.start_M)

    def __getitem__(self, rows_B: Indices) -> NDArray[np.uint8]:
        return np.stack([self._clip(int(row)) for row in rows_B])

    def _clip(self, row: int) -> NDArray[np.uint8]:
        count, stride = self.shape[0] * self.shape[1], int(self.stride_M[row])
        archive = self.archives[int(self.archive_M[row])]
        data = read_span(archive, ByteRange(int(self.start_M[row]), count * stride))
        samples_NX = np.frombuffer(data, np.uint8).reshape(count, stride)
        header = _header(self.shape[2:])
        start = BLOCK_BYTES + len(header)
        if (samples_NX[:, BLOCK_BYTES:start] != np.frombuffer(header, np.uint8)).any():
            raise StoreError(
                f"{archive} does not hold frames of {self.shape[2]}x{self.shape[3]} at byte "
                f"{int(self.start_M[row])}; it was changed or damaged: copy it, or shard, again"
            )
        size = int(np.prod(self.shape[2:]))
        return samples_NX[:, start : start + size].reshape(self.shape)

    def facts(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        rows = np.stack([self.archive_M, self.start_M, self.stride_M], axis=1)
        return {"shards": self.archives, "shape": self.shape, "rows": rows.tolist()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> FramesInShards:
        """Read what `facts` gave.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            rows = np.array(facts["rows"], np.int64).reshape(-1, 3)
            shape = tuple(int(size) for size in facts["shape"])
            return cls(tuple(map(str, facts["shards"])), shape, *rows.T)
        except (KeyError, TypeError) as error:
            raise ValueError(f"it does not name frames in shards ({error})") from error


def _header(shape: tuple[int, ...]) -> bytes:
    """Return how the .npy of a frame of that shape begins."""
    stream = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, facts)
    return stream.getvalue()
