"""Speeds by place: where something moves, and that the camera's motion is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones.speed_grid import COLUMNS, ROWS, restore, speed_grid
from vidfit.contracts import Sampling
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone


def texture(rng):
    small = rng.integers(0, 256, (60, 90, 1)).astype(np.uint8)
    return np.repeat(np.kron(small, np.ones((4, 4, 1), np.uint8)), 3, axis=2)


def test_it_keeps_the_contract_and_is_known_by_name():
    check_backbone(backbones.load("speed-grid"))
    assert "speed-grid" in backbones.names() and "speed-grid" not in backbones.BACKBONES


def test_what_moves_is_found_in_its_place_and_a_moving_camera_is_none(rng):
    still = texture(rng)
    moved = still.copy()
    moved[48:96, 240:312] = np.roll(still, 4, axis=1)[48:96, 240:312]
    panned = np.roll(still, 3, axis=1)
    tokens = speed_grid().forward(np.stack([[still, moved], [still, panned], [still, still]]))
    here, pan, none = tokens[:, 0].reshape(3, ROWS, COLUMNS)
    row, column = np.unravel_index(here.argmax(), here.shape)
    assert 2 <= row <= 3 and 10 <= column <= 12
    assert here.max() == pytest.approx(100 * 4 / 360, rel=0.3)
    assert np.median(pan) < 0.1 * here.max() and none.max() < 0.01


def test_what_it_cannot_see_is_refused(tmp_path):
    encoder = speed_grid()
    with pytest.raises(BackboneError, match="takes uint8"):
        encoder.forward(np.zeros((1, 2, 96, 160, 3), np.uint8))
    with pytest.raises(BackboneError, match="at least two frames"):
        encoder.with_sampling(Sampling(1, 4))
    other = dataclasses.replace(encoder.spec, revision="speed-grid-0")
    with pytest.raises(BackboneError, match="saved with speeds"):
        restore(tmp_path, other)
    assert encoder.with_sampling(Sampling(3, 2, 0.2)).spec.sampling.clip_len == 3
