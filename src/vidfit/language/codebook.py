"""Frames as tokens of a few kinds: k-means over patches, so that a language model reads video.

A patch is what it looks like and how it changed since the frame before; its token is the number
of the nearest centre (Lloyd 1982), as quantised tokens of Gray (1984) and van den Oord et al.
(2017), without a learned encoder.

Shape letters: T frames, H height, W width, P patches of a frame, D numbers of a patch, V centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import VidfitError

PATCH_PIXELS, CELL_PIXELS = 8, 2
"""Side of a patch, and of the squares of it whose means are looked at."""

Distances = NDArray[np.float32]


def patches(grey_THW: Floats) -> Floats:
    """Return what patches look like, and how they changed, [T, P, D].

    Parameters
    ----------
    grey_THW
        Grey frames in [0, 1], sides a multiple of `PATCH_PIXELS`.

    Raises
    ------
    VidfitError
        If sides do not divide.
    """
    count, height, width = grey_THW.shape
    if height % PATCH_PIXELS or width % PATCH_PIXELS:
        raise VidfitError(
            f"frames of {height} x {width} pixels do not divide into patches of {PATCH_PIXELS}; "
            "scale them to a multiple of it"
        )
    rows, columns, cells = (
        height // PATCH_PIXELS,
        width // PATCH_PIXELS,
        PATCH_PIXELS // CELL_PIXELS,
    )
    cut = (count, rows, cells, CELL_PIXELS, columns, cells, CELL_PIXELS)
    seen_TPC = grey_THW.reshape(cut).mean(axis=(3, 6)).transpose(0, 1, 3, 2, 4)
    seen_TPC = seen_TPC.reshape(count, rows * columns, cells**2)
    change_TPC = np.diff(seen_TPC, axis=0, prepend=seen_TPC[:1])
    both_TPD: Floats = np.concatenate([seen_TPC, change_TPC], axis=2).astype(np.float32)
    return both_TPD


@dataclass(frozen=True, eq=False)
class Codebook:
    """Centres of patches [V, D], on the scale that makes looks and changes count alike [D]."""

    centres_VD: Floats
    scale_D: Floats

    @classmethod
    def learn(cls, patches_TPD: Sequence[Floats], centres: int, seed: int = 0) -> Codebook:
        """Learn centres from the patches of videos (mini-batch k-means; Sculley 2010)."""
        from sklearn.cluster import MiniBatchKMeans

        rows_MD = np.concatenate([p.reshape(-1, p.shape[-1]) for p in patches_TPD])
        halves = np.split(rows_MD.std(axis=0), 2)
        scale_D = np.concatenate([np.full(len(h), 1 / max(h.mean(), 1e-6)) for h in halves])
        means = MiniBatchKMeans(
            centres, random_state=seed, n_init=1, batch_size=4096, max_iter=20, compute_labels=False
        ).fit(rows_MD * scale_D)
        return cls(means.cluster_centers_.astype(np.float32), scale_D.astype(np.float32))

    @property
    def vocabulary(self) -> int:
        """Tokens of a language model over them: 0 is the end of a document."""
        return len(self.centres_VD) + 1

    def tokens(self, patches_TPD: Floats) -> tuple[Indices, Distances]:
        """Return the token [T, P] of each patch, and how far it lies from its centre [T, P]."""
        rows_MD = patches_TPD.reshape(-1, patches_TPD.shape[-1]) * self.scale_D
        square_MV = -2 * rows_MD @ self.centres_VD.T + (self.centres_VD**2).sum(axis=1)
        nearest_M = square_MV.argmin(axis=1)
        far_M = square_MV[np.arange(len(rows_MD)), nearest_M] + (rows_MD**2).sum(axis=1)
        shape = patches_TPD.shape[:2]
        return nearest_M.reshape(shape) + 1, np.sqrt(np.maximum(far_M, 0)).reshape(shape)
