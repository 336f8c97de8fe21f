"""Filters that make planes smaller and larger are those that they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vidfit.pixels.restore.enlarge import larger, smaller

PLANES = np.random.default_rng(0).uniform(0, 255, (2, 24, 32)).astype(np.float32)


def by_pillow(plane, size, way):
    image = Image.fromarray(plane, mode="F").resize(size, way)
    return np.asarray(image)


def matlab_weights(scale):
    """Return the weights of ``imresize(x, 1/scale)`` for a pixel inside, by its definition."""
    centre = 8 * scale + (scale - 1) / 2
    at = np.arange(16 * scale + scale)
    far = np.abs(at - centre) / scale
    near = 1.5 * far**3 - 2.5 * far**2 + 1
    outer = -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
    weights = np.where(far <= 1, near, np.where(far <= 2, outer, 0.0))
    return weights / weights.sum()


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_is_that_of_pillow_and_inside_that_of_matlab(scale):
    small = smaller(PLANES, scale)
    wanted = by_pillow(PLANES[1], (32 // scale, 24 // scale), Image.Resampling.BICUBIC)
    assert small[1] == pytest.approx(wanted, abs=1e-3)
    row = np.random.default_rng(1).uniform(0, 255, 17 * scale).astype(np.float32)
    flat = np.repeat(row[None, None], 8 * scale, axis=1)  # the same in each row
    assert smaller(flat, scale)[0, 3, 8] == pytest.approx(row @ matlab_weights(scale), abs=1e-3)


@pytest.mark.parametrize("way", ["bicubic", "lanczos"])
def test_larger_is_that_of_pillow(way):
    made = larger(PLANES, 2, way)
    wanted = by_pillow(PLANES[0], (64, 48), Image.Resampling[way.upper()])
    assert made[0] == pytest.approx(np.clip(wanted, 0, 255), abs=1e-3)
