from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Backbone
from vidfit.errors import BackboneError
from vidfit.features.fingerprint import fingerprint


def picture(seed: int) -> np.ndarray:
    """A smooth colourful frame [64, 64, 3]."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (8, 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def token(frame_HWC: np.ndarray) -> np.ndarray:
    return fingerprint().forward(frame_HWC[None, None])[0, 0]


def test_it_is_a_backbone_with_the_tokens_it_declares():
    backbone = fingerprint()
    frames = np.stack([picture(i) for i in range(6)]).reshape(3, 2, 64, 64, 3)
    tokens_BND = backbone.forward(frames)
    assert isinstance(backbone, Backbone)
    assert tokens_BND.shape == (3, 2, backbone.spec.dim)
    assert tokens_BND.dtype == np.float32
    assert set(np.unique(tokens_BND[..., :64])) == {0.0, 1.0}
    np.testing.assert_array_equal(tokens_BND[1, 0], token(frames[1, 0]))


def test_a_darker_noisy_copy_is_near_and_another_picture_far():
    frame = picture(0)
    noise = np.random.default_rng(1).normal(0, 4, frame.shape)
    copy = np.clip(frame * 0.8 + noise, 0, 255).astype(np.uint8)
    bits = token(frame)[:64]
    assert np.count_nonzero(bits != token(copy)[:64]) <= 4
    assert np.count_nonzero(bits != token(picture(2))[:64]) >= 16


def test_the_contrast_tells_flat_frames():
    assert token(np.full((64, 64, 3), 17, np.uint8))[64] == 0.0
    assert token(picture(0))[64] > 20


@pytest.mark.parametrize(
    "frames", [np.zeros((1, 1, 32, 32, 3), np.uint8), np.zeros((1, 1, 64, 64, 3), np.float32)]
)
def test_other_shapes_and_types_fail(frames):
    with pytest.raises(BackboneError, match="it takes uint8"):
        fingerprint().forward(frames)
