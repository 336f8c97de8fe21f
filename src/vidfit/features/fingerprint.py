"""Perceptual hashes of a few frames of a clip, taken like the features of any encoder.

The one decode that feeds the encoders so feeds the search for near-duplicates too. The hash
keeps the signs of the 8 x 8 lowest frequencies (DCT) against their median: it survives
scaling and compression (Zauner, "Implementation and benchmarking of perceptual image hash
functions", 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames, Preprocessing, Sampling
from vidfit.errors import BackboneError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "fingerprint"
HASH_BITS = 64
REVISION = "phash-64-1"

_SIDE_PIXELS = 64
_HASHED_FRAMES = 4


def fingerprint() -> FingerprintBackbone:
    """Return the encoder that hashes four frames of a clip."""
    return FingerprintBackbone()


class FingerprintBackbone:
    """An encoder whose token is a frame's hash: 64 bits as 0.0 or 1.0, then its contrast.

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
            sampling=Sampling(clip_len=1, num_clips=_HASHED_FRAMES),
            preprocessing=Preprocessing(_SIDE_PIXELS, _SIDE_PIXELS),
            dim=HASH_BITS + 1,
            parameters=0,
            # Two 32-point cosine transforms over a 32 x 32 image, as plain products.
            gmacs_per_view=2 * 32**3 / 1e9,
            licence="BSD-2-Clause",
            commercial_use=True,
            source="https://github.com/JohannesBuchner/imagehash",
            revision=REVISION,
        )

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, T, 65] of views [B, T, 64, 64, 3].

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
        tokens = [_token(frame_HWC) for frame_HWC in frames_BTHWC.reshape(-1, *shape[2:])]
        return np.array(tokens, np.float32).reshape(*shape[:2], HASH_BITS + 1)

    def save(self, directory: Path) -> None:
        """Write nothing: the algorithm has no weights."""


def _token(frame_HWC: Frames) -> Floats:
    import imagehash
    from PIL import Image

    image = Image.fromarray(frame_HWC).convert("L")
    bits = imagehash.phash(image).hash.ravel()
    return np.append(bits, np.asarray(image).std()).astype(np.float32)
