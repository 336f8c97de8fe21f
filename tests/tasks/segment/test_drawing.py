"""Masks that annotations draw become files; masks that are files stay where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidfit.contracts import Clip
from vidfit.manifest import Manifest
from vidfit.manifest.annotations.masks import mask_text, read_index
from vidfit.metrics.areas import LabelledMask
from vidfit.progress import SILENT
from vidfit.tasks.segment.drawing import drawn_masks


def test_a_drawn_mask_is_a_file_of_the_output(tmp_path):
    mask = np.random.default_rng(0).integers(0, 3, (12, 16)).astype(np.uint8)
    mask[0] = 255
    text = mask_text(mask)
    manifest = Manifest((Clip("a/one.jpg", label=text), Clip("b/one.jpg", label="masks/two.png")))
    first, second = drawn_masks(manifest, tmp_path, SILENT).clips
    assert second.label == "masks/two.png"
    file = Path(first.label)
    assert file.parent == tmp_path / "masks" and file.name.startswith("one-")
    np.testing.assert_array_equal(read_index(file), mask)
    counts = [LabelledMask(label, (0, 1), 2).counts() for label in (text, str(file))]
    np.testing.assert_array_equal(*counts)
    written = file.stat().st_mtime_ns
    (again, _) = drawn_masks(manifest, tmp_path, SILENT).clips
    assert again == first and file.stat().st_mtime_ns == written
