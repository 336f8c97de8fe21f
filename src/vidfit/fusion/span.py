"""Standardise, scale by block, and state clips by the principal axes of their span.

Each block is divided by the square root of its width, so that a wide member does not drown a
narrow one and the strength of a penalty means the same for every width.

The minimiser of an L2-penalised loss lies in the span of the clips (representer theorem), so that
few clips have few unknowns. Of many clips the `MOST_AXES` of most variance are kept: what lies
beyond is little, and a penalty leaves it nothing to say. So a fit takes time by the clip, and
not by the square of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats

MOST_AXES = 512
"""Principal axes that are kept at most."""

_MOST_CLIPS = 2048
"""Most clips that the axes are found from, spread over all."""

_LEAST_VARIANCE = 1e-6
"""Of the first axis' variance: what is below is rounding of single precision."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Span:
    """Standardised clips as coordinates [M, R] along axes [R, D].

    Along principal axes the regression's directions hardly disturb one another, which saves it
    most of its steps (`vidfit.fusion.regression`). ``basis_RD`` is ``None`` where there is no
    axis, because all clips are alike: the coordinates are the features.
    """

    mean_D: Floats
    scale_D: Floats
    coordinates_MR: Floats
    basis_RD: Floats | None

    @classmethod
    def of(cls, blocks: Sequence[Floats]) -> Span:
        """Standardise and scale vectors [M, D_i] of each member, and find their span."""
        whole = [with_vector(block) for block in blocks]
        mean_D = np.concatenate([block.mean(axis=0) for block in whole])
        scale_D = np.concatenate([inverse_scale(block) for block in whole])
        x_MD = standardised(blocks, mean_D, scale_D)
        basis_RD = principal_axes(x_MD)
        return cls(mean_D, scale_D, x_MD if basis_RD is None else x_MD @ basis_RD.T, basis_RD)

    @classmethod
    def side_by_side(cls, spans: Sequence[Span]) -> Span:
        """Return the blocks of several spans of the same clips as one."""
        from scipy.linalg import block_diag

        return cls(
            np.concatenate([span.mean_D for span in spans]),
            np.concatenate([span.scale_D for span in spans]),
            np.concatenate([span.coordinates_MR for span in spans], axis=1),
            block_diag(*(span._axes_RD for span in spans)),
        )

    @classmethod
    def joined(cls, spans: Sequence[Span]) -> Span:
        """Return the span of the blocks of several spans, along axes of its own."""
        x_MR = np.concatenate([span.coordinates_MR for span in spans], axis=1)
        axes_QR = principal_axes(x_MR)
        if axes_QR is None:
            return cls.side_by_side(spans)
        ends = [0, *accumulate(span.coordinates_MR.shape[1] for span in spans)]
        parts = zip(spans, pairwise(ends), strict=True)
        return cls(
            np.concatenate([span.mean_D for span in spans]),
            np.concatenate([span.scale_D for span in spans]),
            x_MR @ axes_QR.T,
            np.concatenate([axes_QR[:, a:b] @ span._axes_RD for span, (a, b) in parts], axis=1),
        )

    def where(self, rows_M: Rows) -> Span:
        """Return some of the clips, along the same axes."""
        return Span(self.mean_D, self.scale_D, self.coordinates_MR[rows_M], self.basis_RD)

    def project(self, blocks: Sequence[Floats]) -> Floats:
        """Return the coordinates [M, R] of other clips."""
        x_MD = standardised(blocks, self.mean_D, self.scale_D)
        return x_MD if self.basis_RD is None else x_MD @ self.basis_RD.T

    def weights(self, weight_KR: NDArray[np.floating]) -> Floats:
        """Return the weights [K, D] of standardised vectors that those of coordinates amount to."""
        weight_KD = weight_KR if self.basis_RD is None else weight_KR @ self.basis_RD
        result: Floats = weight_KD.astype(np.float32, copy=False)
        return result

    @property
    def _axes_RD(self) -> Floats:  # noqa: N802
        if self.basis_RD is not None:
            return self.basis_RD
        return np.eye(len(self.mean_D), dtype=np.float32)


def with_vector(block_MD: Floats) -> Floats:
    """Return the rows of clips that have what a member sees; all are kept where none has."""
    there_M = ~np.isnan(block_MD[:, 0]) if block_MD.shape[1] else np.ones(len(block_MD), bool)
    if there_M.all():
        return block_MD
    return block_MD[there_M] if there_M.any() else np.zeros((1, block_MD.shape[1]), np.float32)


def standardised(blocks: Sequence[Floats], mean_D: Floats, scale_D: Floats) -> Floats:
    """Return vectors [M, D_i] side by side, less their means and in units of their scales.

    The vector of a member is NaN where a clip lacks what it sees. It stands at the mean, which is
    0 here: the member then answers with what it knows of no clip, and says nothing in a fusion.
    """
    x_MD = (np.concatenate(blocks, axis=1) - mean_D) * scale_D
    x_MD = x_MD.astype(np.float32, copy=False)
    x_MD[np.isnan(x_MD)] = 0.0
    return x_MD


def principal_axes(x_MD: Floats) -> Floats | None:
    """Return the axes [R, D] of most variance of centred rows, or ``None`` where there is none."""
    from scipy.linalg import eigh

    if min(x_MD.shape) > _MOST_CLIPS:
        x_MD = x_MD[np.linspace(0, len(x_MD) - 1, _MOST_CLIPS).astype(int)]
    by_clip = len(x_MD) < x_MD.shape[1]
    products = (x_MD @ x_MD.T if by_clip else x_MD.T @ x_MD).astype(np.float64)
    ends = (max(len(products) - MOST_AXES, 0), len(products) - 1)
    values, vectors = eigh(products, subset_by_index=ends)
    keep = values > max(values[-1] * _LEAST_VARIANCE, 1e-12)
    if not keep.any():
        return None
    axes_RD: Floats = vectors[:, keep].T.astype(np.float32)
    if by_clip:
        axes_RD = (axes_RD / np.sqrt(values[keep], dtype=np.float32)[:, None]) @ x_MD
    return axes_RD


def inverse_scale(block: Floats) -> Floats:
    """Return inverse scales [D]: to unit variance, divided by the root of the width."""
    deviation = block.std(axis=0)
    # A feature that never changes in training says nothing and must not explode later.
    alive = deviation > 1e-6 * (np.abs(block).max(initial=0.0) + 1e-12)
    width = max(int(alive.sum()), 1)
    inverse = np.where(alive, 1.0 / np.where(alive, deviation, 1.0), 0.0)
    result: Floats = (inverse / np.sqrt(width)).astype(np.float32)
    return result
