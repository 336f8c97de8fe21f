"""The part of an aligned face that an encoder takes."""

from __future__ import annotations

from vidfit.backbones.faces.network import ALIGNED_PIXELS
from vidfit.contracts import Backbone, Frames
from vidfit.errors import BackboneError


def seen_by(encoder: Backbone, aligned_HWC: Frames) -> Frames:
    """Return what an encoder of faces sees of an aligned one, [H, W, 3].

    Raises
    ------
    BackboneError
        If the encoder wants pictures that an aligned face has no middle of.
    """
    size = encoder.spec.preprocessing
    wide, high = size.width_pixels, size.height_pixels
    if size.short_side_pixels not in (None, ALIGNED_PIXELS) or max(wide, high) > ALIGNED_PIXELS:
        raise BackboneError(
            f"{encoder.spec.name} sees {wide} x {high} pixels; an encoder of faces takes "
            f"{ALIGNED_PIXELS} x {ALIGNED_PIXELS} or the middle of that"
        )
    top, left = (ALIGNED_PIXELS - high) // 2, (ALIGNED_PIXELS - wide) // 2
    return aligned_HWC[top : top + high, left : left + wide]
