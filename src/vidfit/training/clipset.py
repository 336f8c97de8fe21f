"""Clips to train on, in files that any number of processes read at once.

::

    set/
      labels.npy    int64 [M], -1 without a label
      tokens.npy    float32 [M, N, D]   what a frozen backbone saw, or
      frames.npy    uint8 [M, V, T, H, W, C], or
      frames.json   names of files, one [V, T, H, W, C] a clip, or places in shards
      present.npy   bool [M, N]         which tokens are no padding (optional)
      text.npy      int64 [M, L]        text tokens, 0 is padding (optional)

Arrays are mapped, not read: memory does not grow with their number. Loading runs no code.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidfit.contracts import Indices
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import write_whole
from vidfit.networks.clips import Clips
from vidfit.networks.step import soft_targets
from vidfit.training.order import Micro
from vidfit.training.sharded import FramesInShards

UNLABELLED = -1


_FIELDS = {
    "tokens": "tokens_BND",
    "present": "present_BN",
    "frames": "frames_BVTHWC",
    "text": "text_BL",
}


@dataclass(frozen=True)
class ClipSet:
    """Clips to train on; ``arrays`` are tokens, present, frames and text, as far as there are."""

    labels_M: Indices
    arrays: Mapping[str, ClipArray]

    def read(self, rows_B: Indices) -> Clips:
        """Return clips as a network sees them."""
        return Clips(
            **{_FIELDS[name]: _tensor(np.asarray(a[rows_B])) for name, a in self.arrays.items()}
        )

    def mixed(self, micro: Micro) -> Clips:
        """Return the clips of a micro-batch, each mixed with its partner (Zhang et al. 2018).

        Tokens and frames are mixed, frames rounded; text is that of the clip itself, and a token
        is present where either clip has one.
        """
        if (micro.shares_B == 1).all():
            return self.read(micro.rows_B)
        arrays = {}
        for name, array in self.arrays.items():
            own, other = array[micro.rows_B], array[micro.partners_B]
            arrays[_FIELDS[name]] = _tensor(_mixture(name, own, other, micro))
        return Clips(**arrays)

    def targets(self, micro: Micro, classes: int, smoothing: float) -> Tensor:
        """Return probabilities of classes [B, K]; zeros for clips that do not count."""
        own_BK = self._soft(micro.rows_B, classes, smoothing)
        other_BK = self._soft(micro.partners_B, classes, smoothing)
        share_B1 = torch.from_numpy(micro.shares_B).float()[:, None]
        counts_B1 = torch.from_numpy(micro.counts_B).float()[:, None]
        return (share_B1 * own_BK + (1 - share_B1) * other_BK) * counts_B1

    def _soft(self, rows_B: Indices, classes: int, smoothing: float) -> Tensor:
        labels_B = torch.from_numpy(self.labels_M[rows_B])
        known_B1 = (labels_B >= 0).float()[:, None]
        return soft_targets(labels_B.clamp(min=0), classes, smoothing) * known_B1

    def write(self, folder: Path) -> None:
        """Write the arrays, each whole or not at all.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        write_array(folder / "labels.npy", self.labels_M)
        for name, rows in self.arrays.items():
            if isinstance(rows, FilesOfFrames | FramesInShards):
                write_whole(folder / f"{name}.json", to_json(rows.facts(), indent=0).encode())
            else:
                write_array(folder / f"{name}.npy", np.asarray(rows))


def open_set(folder: Path) -> ClipSet:
    """Map the arrays of a set.

    Raises
    ------
    StoreError
        If one is missing or damaged.
    """
    try:
        labels_M = np.load(folder / "labels.npy", allow_pickle=False)
        arrays: dict[str, ClipArray] = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in _FIELDS
            if (folder / f"{name}.npy").is_file()
        }
        if (names := folder / "frames.json").is_file():
            arrays["frames"] = _frames(json_in(names.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{folder} holds no clips to train on: {error}; prepare it anew"
        ) from error
    short = [name for name, array in arrays.items() if len(array) != len(labels_M)]
    if short or not arrays:
        raise StoreError(
            f"{folder} holds {len(labels_M)} labels, but {', '.join(short) or 'no clips'} do not "
            "fit them; prepare it anew"
        )
    return ClipSet(labels_M, arrays)


def _frames(facts: Any) -> ClipArray:  # noqa: ANN401  (as JSON has it)
    if isinstance(facts, dict):
        return FramesInShards.from_facts(facts)
    return FilesOfFrames(tuple(Path(path) for path in facts))


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array under a temporary name, then rename it."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    write_whole(path, stream.getvalue())


def _mixture(name: str, own: NDArray[Any], other: NDArray[Any], micro: Micro) -> NDArray[Any]:
    if name == "text":
        return own
    if name == "present":
        return np.asarray(own | other)
    share = micro.shares_B.astype(np.float32).reshape(-1, *[1] * (own.ndim - 1))
    mixed: NDArray[Any] = share * own + (1 - share) * other
    return np.rint(mixed).astype(np.uint8) if own.dtype == np.uint8 else mixed


def _tensor(array: NDArray[Any]) -> Tensor:
    # A copy: what was mapped may neither be written to nor handed to torch.
    return torch.from_numpy(np.array(array))


@dataclass(frozen=True)
class FilesOfFrames:
    """Frames of clips, one file each, as an array [M, V, T, H, W, C] that is read by rows."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def facts(self) -> list[str]:
        """Return the same as JSON has it."""
        return [str(path) for path in self.paths]

    def __getitem__(self, rows_B: Indices) -> NDArray[np.uint8]:
        return np.stack([np.load(self.paths[i], allow_pickle=False) for i in rows_B])


ClipArray = NDArray[Any] | FilesOfFrames | FramesInShards
"""An array with a row for each clip, in memory or not."""
