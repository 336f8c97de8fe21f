from __future__ import annotations

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from vidfit.contracts import Backbone
from vidfit.errors import BackboneError
from vidfit.features.fingerprint import CUTS, VERSIONS, fingerprint, from_tokens, to_tokens

SIDE = 128


def picture(seed: int, cells: int = 8) -> np.ndarray:
    """A smooth colourful frame [128, 128, 3]."""
    coarse = np.random.default_rng(seed).uniform(30, 255, (cells, cells, 3)).astype(np.float32)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype("u1")


def codes(*frames: np.ndarray) -> np.ndarray:
    return from_tokens(fingerprint().forward(np.stack(frames)[None])[0])[0]


def bits_apart(first: np.uint64, second: np.uint64) -> int:
    return int(np.bitwise_count(first ^ second))


def test_it_is_a_backbone_with_the_tokens_it_declares():
    backbone = fingerprint()
    frames = np.stack([picture(i) for i in range(6)]).reshape(2, 3, SIDE, SIDE, 3)
    tokens_BND = backbone.forward(frames)
    assert isinstance(backbone, Backbone)
    assert tokens_BND.shape == (2, 3, backbone.spec.dim) and tokens_BND.dtype == np.float32
    codes_NV, contrast_N = from_tokens(tokens_BND[1])
    assert codes_NV.shape == (3, VERSIONS) and (contrast_N > 20).all()


def test_tokens_hold_every_bit():
    codes_NV = np.random.default_rng(0).integers(0, 2**64, (5, VERSIONS), np.uint64)
    found_NV, contrast_N = from_tokens(to_tokens(codes_NV, np.arange(5, dtype=np.float32)))
    assert (found_NV == codes_NV).all() and contrast_N.tolist() == [0, 1, 2, 3, 4]


def test_the_hash_of_the_whole_frame_is_that_of_imagehash():
    """But for what scaling to 32 pixels leaves open: Pillow's filter is another than OpenCV's."""
    for seed in range(5):
        frame = picture(seed)
        theirs = imagehash.phash(Image.fromarray(frame)).hash.ravel()
        ours = np.unpackbits(codes(frame)[0, :1].view(np.uint8))
        assert np.count_nonzero(theirs != ours) <= 2


def test_a_darker_noisy_copy_is_near_and_another_picture_far():
    frame = picture(0)
    noise = np.random.default_rng(1).normal(0, 4, frame.shape)
    copy = np.clip(frame * 0.8 + noise, 0, 255).astype(np.uint8)
    assert bits_apart(codes(frame)[0, 0], codes(copy)[0, 0]) <= 4
    assert bits_apart(codes(frame)[0, 0], codes(picture(2))[0, 0]) >= 16


def test_a_mirrored_frame_is_the_mirrored_version_of_the_other():
    first, second = codes(picture(3))[0], codes(picture(3)[:, ::-1])[0]
    assert bits_apart(first[0], second[len(CUTS)]) <= 1
    assert bits_apart(first[0], second[0]) >= 16


def test_a_cropped_frame_is_a_cut_of_the_other():
    cut = cv2.resize(picture(4)[13:-13, 13:-13], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert bits_apart(codes(picture(4))[0, 2], codes(cut)[0, 0]) <= 2


def test_dark_borders_are_taken_off_where_all_frames_have_them():
    frames = [picture(5), picture(6)]
    inner = [cv2.resize(f, (SIDE, 96), interpolation=cv2.INTER_AREA) for f in frames]
    barred = [np.pad(f, ((16, 16), (0, 0), (0, 0))) for f in inner]
    for plain, found in zip(codes(*frames), codes(*barred), strict=True):
        assert bits_apart(plain[0], found[0]) <= 2
    partly = codes(frames[0], barred[1])
    assert bits_apart(partly[1][0], codes(barred[1])[0, 0]) > 4


def test_the_contrast_tells_flat_frames():
    assert (
        from_tokens(fingerprint().forward(np.full((1, 2, SIDE, SIDE, 3), 17, "u1"))[0])[1].max()
        == 0
    )


@pytest.mark.parametrize(
    "frames", [np.zeros((1, 1, 32, 32, 3), np.uint8), np.zeros((1, 1, 128, 128, 3), np.float32)]
)
def test_other_shapes_and_types_fail(frames):
    with pytest.raises(BackboneError, match="it takes uint8"):
        fingerprint().forward(frames)


def test_other_tokens_fail():
    with pytest.raises(ValueError, match="expected \\[N, 4 V \\+ 1\\]"):
        from_tokens(np.zeros((4, 64), np.float32))
