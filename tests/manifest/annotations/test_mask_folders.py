"""Folders of index PNG, held against PIL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.manifest.annotations.examples import write

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import VOID, index_mask, read_masks
from vidfit.manifest.annotations.mask_folders import mask_files

MASK = np.array([[0, 1, 2], [2, 255, 1]], np.uint8)
DATA = Path(__file__).parents[4] / "shared" / "data" / "camvid"


def save(path: Path, pixels, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "val"):
        save(tmp_path / "images" / split / "a.jpg", np.zeros((2, 3, 3), np.uint8), "RGB")
        save(tmp_path / "masks" / split / "a.png", MASK)
    (tmp_path / "names.txt").write_text("road\ncar\nvoid\n")
    return tmp_path


def test_masks_lie_beside_pictures_and_void_is_void(folder):
    masks = read_masks(folder)
    assert masks.classes == ("road", "car", "void")
    assert [(Path(f.path).parent.name, f.split, f.size_pixels) for f in masks.frames] == [
        ("train", "train", (3, 2)), ("val", "val", (3, 2)),
    ]  # fmt: skip
    expected = np.where(MASK == 2, VOID, MASK)
    assert np.array_equal(index_mask(masks.frames[0], masks.classes), expected)


def test_what_was_written_is_read_back_and_is_what_pil_reads(folder):
    masks = read_masks(folder)
    write(folder / "out", mask_files(masks))
    with Image.open(folder / "out" / "masks" / "train" / "train_a.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), np.where(MASK == 2, VOID, MASK))
    again = read_masks(folder / "out", folder)
    assert again.classes == masks.classes and again.form == "index PNG"
    assert [(f.path, f.split) for f in again.frames] == [(f.path, f.split) for f in masks.frames]


@pytest.mark.parametrize(
    ("pixels", "mode", "reason"),
    [
        (MASK + 3, "L", "it holds 3, 4, 5, and the classes are 0 to 2"),
        (np.zeros((2, 3, 3), np.uint8), "RGB", "it is a PNG of RGB, and no mask of class numbers"),
        (np.zeros((9, 2), np.uint8), "L", "it has 2 x 9 pixels, its picture 3 x 2"),
    ],
    ids=["numbers", "colours", "size"],
)
def test_a_mask_that_is_none_is_named_and_left_out(folder, pixels, mode, reason):
    save(folder / "masks" / "train" / "a.png", pixels, mode)
    masks = read_masks(folder)
    assert [frame.split for frame in masks.frames] == ["val"]
    assert masks.rejected[0].name == "masks/train/a.png" and reason in masks.rejected[0].reason


def test_files_that_are_no_png_are_named(folder):
    for split in ("train", "val"):
        (folder / "masks" / split / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n???")
    with pytest.raises(ManifestError, match="it cannot be read as a PNG"):
        read_masks(folder)


@pytest.mark.skipif(not DATA.exists(), reason="CamVid is not beside the checkout")
def test_a_table_of_pictures_and_masks(tmp_path):
    lines = (DATA / "frames.csv").read_text().splitlines()[:3]
    rows = [",".join(f"{DATA}/{cell}" if "/" in cell else cell for cell in line.split(","))
            for line in lines]  # fmt: skip
    (tmp_path / "frames.csv").write_text("\n".join(rows))
    masks = read_masks(tmp_path)
    assert [(f.group, f.split, f.size_pixels) for f in masks.frames] == [
        ("0001TP", "train", (480, 360)), ("0001TP", "train", (480, 360)),
    ]  # fmt: skip
