"""Pictures are as they are shown: turned, mirrored, and with square pixels."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.video.cases import Recipe, pictures, write, x264

from vidfit.contracts import Preprocessing
from vidfit.video import VideoReader, probe

# (a, b, c, d) of the display matrix, and the same on an array.
MATRICES = {
    (1, 0, 0, 1): lambda x: x,
    (0, 1, -1, 0): lambda x: np.rot90(x, -1),
    (-1, 0, 0, -1): lambda x: x[::-1, ::-1],
    (0, -1, 1, 0): np.rot90,
    (-1, 0, 0, 1): lambda x: x[:, ::-1],
    (1, 0, 0, -1): lambda x: x[::-1],
    (0, 1, 1, 0): lambda x: x.swapaxes(0, 1),
    (0, -1, -1, 0): lambda x: x[::-1, ::-1].swapaxes(0, 1),
    (0, 0, 0, 0): lambda x: x,  # some cameras write no matrix
}


def with_matrix(path, matrix):
    """Write a display matrix into the header of an MP4."""
    data = bytearray(path.read_bytes())
    one, a = 1 << 16, [int(value) << 16 for value in matrix]
    place = data.index(struct.pack(">5i", one, 0, 0, 0, one), data.index(b"tkhd"))
    data[place : place + 20] = struct.pack(">5i", a[0], a[1], 0, a[2], a[3])
    path.write_bytes(bytes(data))
    return path


def wide(folder, sar, file="wide.mp4", **fields):
    return write(
        folder, Recipe(file, options=x264(1, 0, sar=sar.replace(":", "/")), frames=2, **fields)
    )


def first(path, size=None):
    with VideoReader(str(path)) as reader:
        return next(reader.frames([0])).rgb(size)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("size", [None, (32, 24)])
def test_every_display_matrix_is_applied(tmp_path, matrix, size):
    plain = write(tmp_path, Recipe("plain.mp4", options=x264(1, 0), frames=1))
    shown = MATRICES[matrix]
    turns_over = shown(np.zeros((2, 3))).shape == (3, 2)
    before = size[::-1] if size and turns_over else size
    expected = shown(first(plain, size and Preprocessing(*before)))
    path = with_matrix(plain, matrix)
    np.testing.assert_array_equal(first(path, size and Preprocessing(*size)), expected)
    info = probe(str(path))
    assert (info.height_pixels, info.width_pixels) == ((96, 64) if turns_over else (64, 96))
    a, b, c, d = matrix
    assert info.is_mirrored == (a * d - b * c < 0)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])  # PyAV does not give the mirrored ones
def test_orientation_of_photographs_in_a_folder_of_frames(tmp_path, orientation):
    photo = Image.fromarray(next(pictures(1, 48, 64)))
    exif = photo.getexif()
    exif[0x0112] = orientation
    photo.save(tmp_path / "1.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "1.jpg") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)).astype(int)
    found = first(tmp_path).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 4  # two decoders; another turn differs by 60


@pytest.mark.parametrize("file", ["wide.mp4", "wide.mkv", "wide.ts", "wide.h264"])
def test_pixels_that_are_not_square_are_made_square(tmp_path, file):
    plain, path = wide(tmp_path, "1:1", "plain.mp4"), wide(tmp_path, "4:3", file)
    info = probe(str(path))
    assert (info.height_pixels, info.width_pixels) == (64, 128)
    assert info.pixel_aspect == pytest.approx(4 / 3)
    np.testing.assert_array_equal(first(path), first(plain, Preprocessing(64, 128)))


def test_the_cut_of_a_network_goes_by_the_shape_that_is_shown(tmp_path):
    plain, path = wide(tmp_path, "1:1", "plain.mp4"), wide(tmp_path, "1:2")
    whole = first(plain, Preprocessing(64, 48))
    cut = first(path, Preprocessing(32, 32, short_side_pixels=48))
    np.testing.assert_array_equal(cut, whole[16:48, 8:40])
    squeezed = Preprocessing(32, 32)  # the whole picture, whatever its shape
    np.testing.assert_array_equal(first(path, squeezed), first(plain, squeezed))


def test_pixels_are_widened_before_the_picture_is_turned(tmp_path):
    path = with_matrix(wide(tmp_path, "4:3"), (0, 1, -1, 0))
    info = probe(str(path))
    assert (info.height_pixels, info.width_pixels, info.rotation_degrees) == (128, 64, 90)
    assert first(path).shape == (128, 64, 3)


@pytest.mark.parametrize("sar", ["1:1", "0:1", "50:1", "1:50"])
def test_square_unknown_and_absurd_shapes_of_pixels_change_nothing(tmp_path, sar):
    plain = write(tmp_path, Recipe("plain.mp4", options=x264(1, 0), frames=2))
    np.testing.assert_array_equal(first(wide(tmp_path, sar)), first(plain))
