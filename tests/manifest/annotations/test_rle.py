"""Runs and outlines, held against pycocotools to the pixel and to the sign."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco

from vidfit.manifest.annotations.rle import filled, mask_of, packed, runs_of, unpacked


def test_masks_runs_and_short_text_are_those_of_coco():
    random = np.random.default_rng(0)
    for _ in range(100):
        height, width = map(int, random.integers(1, 40, 2))
        mask_HW = random.random((height, width)) < random.uniform(0, 1)
        runs = runs_of(mask_HW)
        theirs = coco.encode(np.asfortranarray(mask_HW.astype(np.uint8)))["counts"].decode()
        assert packed(runs) == theirs and unpacked(theirs) == runs
        assert np.array_equal(mask_of(runs, height, width), mask_HW)


@pytest.mark.parametrize("seed", range(3))
def test_outlines_are_filled_as_coco_fills_them(seed):
    random = np.random.default_rng(seed)
    for _ in range(60):
        height, width = map(int, random.integers(3, 60, 2))
        corners = random.uniform(-3, 3 + np.array([width, height]), (random.integers(3, 12), 2))
        outline = (np.round(corners) if seed else corners).reshape(-1).tolist()
        theirs = coco.decode(coco.frPyObjects([outline], height, width))[..., 0].astype(bool)
        assert np.array_equal(filled(outline, height, width), theirs)


def test_what_is_no_mask_is_refused():
    with pytest.raises(ValueError, match="runs are of 5 pixels, and the picture has 2 x 3"):
        mask_of([2, 3], 2, 3)
    with pytest.raises(ValueError, match="end within a number"):
        unpacked("P")
    with pytest.raises(ValueError, match="the sign"):
        unpacked("~")
    with pytest.raises(ValueError, match="has 4 numbers"):
        filled([0, 0, 1, 1], 5, 5)
    with pytest.raises(ValueError, match="leaves the picture"):
        filled([0, 0, 1e6, 0, 0, 1e6], 5, 5)
