"""What was seen at places goes into tokens and comes back; rows on disk are those in memory."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Preprocessing
from vidfit.features.places import MOST_BLOCKS, Places, in_places, scaled


def _places(rows=3, columns=4):
    rng = np.random.default_rng(0)
    shapes = ((4 * rows, 4 * columns, 5), (2 * rows, 2 * columns, 3), (rows, columns, 7))
    return Places(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


def test_tokens_say_all_by_themselves():
    places = _places()
    row = in_places(places.tokens())
    assert row.shape == (MOST_BLOCKS * (16 * 5 + 4 * 3 + 7 + 4),)
    again = Places.of(row)
    assert again.grid == (12, 16) and again.levels == (5, 3, 7)
    for one, other in zip(vars(places).values(), vars(again).values(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_cells_are_interpolated_as_pictures_are():
    places = _places()
    cells = places.cells(np.arange(12 * 16))
    whole = [scaled(level, (12, 16)) for level in vars(places).values()]
    expected = np.concatenate([level.reshape(192, -1) for level in whole], axis=1)
    np.testing.assert_allclose(cells[:, :-2], expected, atol=1e-5)
    np.testing.assert_allclose(cells[0, -2:], [0.5 / 12, 0.5 / 16])


def test_other_tokens_are_refused():
    with pytest.raises(ValueError, match="says no place"):
        Places.of(np.zeros((4, 20), np.float32))


@pytest.mark.parametrize(
    ("size", "blocks"),
    [
        ((360, 480), (11, 15)),
        ((1080, 1920), (10, 18)),
        ((500, 500), (13, 13)),
        ((10, 4000), (1, 181)),
    ],
)
def test_a_frame_keeps_its_shape(size, blocks):
    usual = Preprocessing(352, 480, block_pixels=32)
    assert usual.in_blocks(*size) == blocks
    own = usual.of(*size)
    assert (own.height_pixels, own.width_pixels) == (32 * blocks[0], 32 * blocks[1])
    assert usual.takes(own.height_pixels, own.width_pixels) and not usual.takes(360, 480)
