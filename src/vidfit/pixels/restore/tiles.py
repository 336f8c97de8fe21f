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
    *,
    repeats_edge: bool = True,
) -> Floats:
    """Return a large frame.

    Tiles see beyond their rim; where that is as far as the network reaches the frame is the same as
    if it were computed at once.

    Parameters
    ----------
    larger
        Makes a plane ``scale`` times larger each way.
    reach_pixels
        How far tiles see, of the small picture.
    repeats_edge
        Beyond the frame its edge is repeated; else tiles end with the frame, for networks that
        learned from pictures with nothing around them.
    """
    height, width = frame_HW.shape
    made = np.empty((height * scale, width * scale), np.float32)
    for top in range(0, height, tile_pixels):
        for left in range(0, width, tile_pixels):
            bottom, right = min(top + tile_pixels, height), min(left + tile_pixels, width)
            above, before = min(reach_pixels, top), min(reach_pixels, left)
            below, after = min(reach_pixels, height - bottom), min(reach_pixels, width - right)
            seen = frame_HW[top - above : bottom + below, left - before : right + after]
            if repeats_edge:
                rows = (reach_pixels - above, reach_pixels - below)
                columns = (reach_pixels - before, reach_pixels - after)
                seen = np.pad(seen, (rows, columns), mode="edge")
                above = before = reach_pixels
            inner = slice(above * scale, (above + bottom - top) * scale)
            across = slice(before * scale, (before + right - left) * scale)
            tile = larger(seen)[inner, across]
            made[top * scale : bottom * scale, left * scale : right * scale] = tile
    return made
