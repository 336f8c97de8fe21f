"""EfficientNet-Lite as an encoder of places: what stages say, in its place, for any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.backbones import saved
from vidfit.backbones.lite import EfficientNetLite
from vidfit.errors import BackboneError
from vidfit.features.places import Places


@pytest.fixture(scope="module")
def lite0():
    return backbones.load("efficientnet-lite0-places")


def test_says_of_each_place_what_the_stages_say(lite0):
    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 64, 96, 3), np.uint8)
    tokens = lite0.forward(frames)
    assert tokens.shape == (2, 6, lite0.spec.dim)
    places = Places.of(tokens[1])
    assert places.grid == (8, 12) and places.levels == (24 + 40, 112, 320)
    whole = EfficientNetLite(1.0, 1.0).eval()
    whole.load_state_dict(
        {k.removeprefix("trunk."): v for k, v in lite0.network.state_dict().items()}, strict=False
    )
    image = (torch.from_numpy(frames[1]).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        x = torch.nn.functional.relu6(whole._bn0(whole._conv_stem(image)))
        coarse = whole._blocks(x)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(places.coarse_YXE, coarse, atol=1e-4)


def test_takes_frames_in_blocks_and_no_others(lite0):
    with pytest.raises(BackboneError, match="or other multiples of 32"):
        lite0.forward(np.zeros((1, 1, 60, 96, 3), np.uint8))
    with pytest.raises(BackboneError):
        lite0.forward(np.zeros((1, 1, 640, 960, 3), np.uint8))


def test_is_saved_and_restored(lite0, tmp_path):
    saved.save(lite0, tmp_path)
    again = saved.restore(tmp_path)
    assert again.spec == lite0.spec
    frames = np.random.default_rng(1).integers(0, 256, (1, 1, 64, 64, 3), np.uint8)
    np.testing.assert_array_equal(again.forward(frames), lite0.forward(frames))
