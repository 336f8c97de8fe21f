"""Perceptual hashes of a few frames of a clip, taken like the features of any encoder.

The one decode that feeds the encoders so feeds the search for copies too. The hash keeps the
signs of the 8 x 8 lowest frequencies (DCT) against their median: it survives scaling and
compression (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010).
Dark borders are taken off first, and beside each frame its mirror image and cuts of its middle
are hashed, so that copies with bars, turned left to right or cropped are found, too.

Shape letters: N frames of a clip, V versions of a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAME = "fingerprint"
HASH_BITS = 64
REVISION = "phash-64-2"

CUTS = (1.0, 0.9, 0.8)
"""Parts of the height and width that are hashed, from the middle: the whole frame is first."""
VERSIONS = 2 * len(CUTS)
"""Hashes of a frame: its cuts, then the mirror images of its cuts."""

_SIDE_PIXELS = 128
_HASHED_FRAMES = 8
_DCT_PIXELS = 32
_WORDS = HASH_BITS // 16
_DARK_LUMA, _DARK_SHARE = 20, 0.95
_LEAST_PIXELS = 32


def fingerprint() -> FingerprintBackbone:
    """Return the encoder that hashes eight frames of a clip."""
    return FingerprintBackbone()


def to_tokens(codes_NV: NDArray[np.uint64], contrast_N: Floats) -> Floats:
    """Return tokens [N, 4 V + 1]: hashes as whole numbers of 16 bits, then the contrast.

    float32 holds them exactly, as the store wants them.
    """
    words_NW = np.ascontiguousarray(codes_NV).view(np.uint16)
    return np.column_stack([words_NW, contrast_N]).astype(np.float32)


def from_tokens(tokens_ND: Floats) -> tuple[NDArray[np.uint64], Floats]:
    """Return the hashes [N, V] and the contrast [N] of tokens.

    Raises
    ------
    ValueError
        If the tokens are not what `to_tokens` gives.
    """
    if tokens_ND.ndim != 2 or tokens_ND.shape[1] < _WORDS or tokens_ND.shape[1] % _WORDS != 1:
        raise ValueError(
            f"Hash tokens have the shape {tokens_ND.shape}; expected [N, {_WORDS} V + 1] of V "
            "hashes a frame."
        )
    words_NW = np.ascontiguousarray(tokens_ND[:, :-1], np.float32).astype(np.uint16)
    return words_NW.view(np.uint64), tokens_ND[:, -1]


class FingerprintBackbone:
    """An encoder whose token is what `to_tokens` makes of a frame's hashes and its contrast.

    The contrast is the standard deviation of luma, on the 0-255 scale: the hash of a flat
    frame is noise, and whoever compares hashes must leave such frames out.
    """

    @property
    def spec(self) -> BackboneSpec:
        """The facts of this encoder, as it is used here."""
        return BackboneSpec(
            name=NAME,
            family="fingerprint",
            architecture="algorithm",
            # One view, so that borders are those of the clip: a single frame may be dark.
            sampling=Sampling(clip_len=_HASHED_FRAMES, num_clips=1),
            preprocessing=Preprocessing(_SIDE_PIXELS, _SIDE_PIXELS),
            dim=_WORDS * VERSIONS + 1,
            parameters=0,
            # Two 32-point cosine transforms over a 32 x 32 image, as plain products.
            gmacs_per_view=_HASHED_FRAMES * len(CUTS) * 2 * _DCT_PIXELS**3 / 1e9,
            licence="Apache-2.0",
            commercial_use=True,
            source="vidfit",
            revision=REVISION,
        )

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, T, 25] of views [B, T, 128, 128, 3].

        Raises
        ------
        BackboneError
            If the views have another shape or are not uint8.
        """
        shape = frames_BTHWC.shape
        if frames_BTHWC.dtype != np.uint8 or shape[2:] != (_SIDE_PIXELS, _SIDE_PIXELS, 3):
            raise BackboneError(
                f"{NAME} got {frames_BTHWC.dtype} views {shape}; it takes uint8 "
                f"[B, T, {_SIDE_PIXELS}, {_SIDE_PIXELS}, 3]."
            )
        return np.stack([_tokens(view_THWC) for view_THWC in frames_BTHWC])

    def save(self, directory: Path) -> None:
        """Write nothing: the algorithm has no weights."""


def _tokens(view_THWC: Frames) -> Floats:
    import cv2

    luma_THW = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in view_THWC])
    inner_THW = without_borders(luma_THW)
    codes_TV = np.array([_codes(frame_HW) for frame_HW in inner_THW], np.uint64)
    return to_tokens(codes_TV, inner_THW.std(axis=(1, 2)).astype(np.float32))


def without_borders(luma_THW: Frames) -> Frames:
    """Return frames without rows and columns at the edges that are dark in all of them."""
    rows_H = np.quantile(luma_THW, _DARK_SHARE, axis=2).max(axis=0) > _DARK_LUMA
    columns_W = np.quantile(luma_THW, _DARK_SHARE, axis=1).max(axis=0) > _DARK_LUMA
    rows, columns = np.flatnonzero(rows_H), np.flatnonzero(columns_W)
    if min(len(rows), len(columns)) < _LEAST_PIXELS:  # a dark scene, not a frame with bars
        return luma_THW
    return luma_THW[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _codes(luma_HW: Frames) -> list[np.uint64]:
    """Return the hashes of a frame in its versions."""
    cuts = [_frequencies(_middle(luma_HW, share)) for share in CUTS]
    # A picture that is turned left to right has the odd frequencies along its rows negated.
    signs_8 = np.array([1, -1] * 4, np.float32)
    turned = [low_88 * signs_8 for low_88 in cuts]
    return [_hash(low_88) for low_88 in (*cuts, *turned)]


def _middle(luma_HW: Frames, share: float) -> Frames:
    height, width = luma_HW.shape
    y, x = (round((1 - share) / 2 * side) for side in (height, width))
    return np.ascontiguousarray(luma_HW[y : height - y, x : width - x])


def _frequencies(luma_HW: Frames) -> Floats:
    import cv2

    small = cv2.resize(luma_HW, (_DCT_PIXELS, _DCT_PIXELS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.dct(small.astype(np.float32))[:8, :8], np.float32)


def _hash(low_88: Floats) -> np.uint64:
    return np.uint64(np.packbits(low_88 > np.median(low_88)).view(np.uint64)[0])
