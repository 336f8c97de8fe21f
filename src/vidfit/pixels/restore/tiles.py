"""A frame made larger tile by tile, so that memory depends on the tile and not on the frame.

Shape letters: H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vidfit.contracts import Floats

TILE_PIXELS = 192
"""A side of what is computed at once, of the small picture."""


def in_tiles(
    larger: Callable[[Floats], Floats],
    frame_HW: Floats,
    scale: int,
    reach_pixels: int,
    tile_pixels: int = TILE_PIXELS,
) -> Floats:
    """Return a large frame.

    Tiles see beyond their rim; where that is as far as the network reaches the frame is the same as
    if it were computed at once. Beyond the frame its edge is repeated.

    Parameters
    ----------
    larger
        Makes a plane ``scale`` times larger each way.
    reach_pixels
        How far tiles see, of the small picture.
    """
    reach = reach_pixels
    height, width = frame_HW.shape
    padded = np.pad(frame_HW, reach, mode="edge")
    made = np.empty((height * scale, width * scale), np.float32)
    for top in range(0, height, tile_pixels):
        for left in range(0, width, tile_pixels):
            rows, columns = min(tile_pixels, height - top), min(tile_pixels, width - left)
            seen = padded[top : top + rows + 2 * reach, left : left + columns + 2 * reach]
            inner = slice(reach * scale, (reach + rows) * scale)
            across = slice(reach * scale, (reach + columns) * scale)
            tile = larger(seen)[inner, across]
            made[top * scale : (top + rows) * scale, left * scale : (left + columns) * scale] = tile
    return made
