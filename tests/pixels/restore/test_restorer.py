"""Tiles make the same frame as the whole, and what is kept comes back."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
import torch
from tests.moving import frames

from vidfit.errors import ModelError
from vidfit.pixels.restore.enlarge import larger
from vidfit.pixels.restore.material import rounded_luma
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.pretrained import load_pretrained
from vidfit.pixels.restore.restorer import Restorer, _forward, load_restorer, save_restorer
from vidfit.pixels.restore.tiles import in_tiles

LUMA = rounded_luma(frames(count=3, height=45, width=61))


def network(**sizes):
    torch.manual_seed(0)
    made = RestoreNetwork(RestoreSizes(**{"scale": 2, "width": 8, "blocks": 1, **sizes})).eval()
    torch.nn.init.normal_(made.tail.weight, std=0.05)
    return made


def test_before_it_learns_a_network_is_bicubic():
    made = Restorer(2, RestoreNetwork(RestoreSizes(2))).begin()(LUMA[1])
    inside = np.s_[8:-8, 8:-8]
    wanted = larger(LUMA[1:2].astype(np.float32), 2)[0]
    assert made[inside] == pytest.approx(wanted[inside], abs=1e-3)
    assert Restorer(2).begin()(LUMA[1]) == pytest.approx(wanted)


@pytest.mark.parametrize("scale", [2, 4])
def test_tiles_make_the_same_frame(scale):
    of, frame = network(scale=scale), LUMA[1].astype(np.float32)
    larger, reach = partial(_forward, of), of.sizes.reach_pixels
    whole = in_tiles(larger, frame, scale, reach, tile_pixels=1000)
    assert whole.shape == (45 * scale, 61 * scale)
    made = in_tiles(larger, frame, scale, reach, tile_pixels=16)
    assert made == pytest.approx(whole, abs=2e-3)


def test_tiles_may_end_with_the_frame():
    shapes = []

    def twice(plane_HW):
        shapes.append(plane_HW.shape)
        return np.kron(plane_HW, np.ones((2, 2), np.float32))

    frame = LUMA[1].astype(np.float32)
    assert (in_tiles(twice, frame, 2, 4, 16, repeats_edge=False) == twice(frame)).all()
    assert shapes[:2] == [(20, 20), (20, 24)]
    shapes.clear()
    in_tiles(twice, frame, 2, 24, repeats_edge=False)
    assert shapes == [frame.shape]


@pytest.mark.parametrize("steady", [False, True])
def test_what_is_kept_comes_back(tmp_path, steady):
    restorer = Restorer(2, network(), steady=steady, evened=0.25 * steady, card={"a": 1})
    save_restorer(restorer, tmp_path / "model")
    again = load_restorer(tmp_path / "model")
    assert (again.steady, again.evened, again.card) == (steady, 0.25 * steady, {"a": 1})
    one, other = restorer.begin(), again.begin()
    for frame in LUMA:
        assert (one(frame) == other(frame)).all()


@pytest.mark.parametrize("by", ["bicubic", "lanczos"])
def test_filters_are_kept_too(tmp_path, by):
    save_restorer(Restorer(4, by=by), tmp_path / "model")
    again = load_restorer(tmp_path / "model")
    assert again == Restorer(4, by=by, card={})
    assert (again.begin()(LUMA[0]) == larger(LUMA[:1].astype(np.float32), 4, by)[0]).all()


def test_of_a_pretrained_network_its_name_and_digest(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.Swin2SRConfig(
        image_size=16, embed_dim=12, depths=[1], num_heads=[2], window_size=4, upscale=2,
        upsampler="pixelshuffledirect",
    )  # fmt: skip
    swin = transformers.Swin2SRForImageSuperResolution(config)
    swin.save_pretrained(tmp_path / "swin")
    one = load_pretrained(f"hf:{tmp_path / 'swin'}")
    save_restorer(Restorer(2, one, card={"a": 1}), tmp_path / "model")
    again = load_restorer(tmp_path / "model")
    assert again.card == {"a": 1}
    assert (again.begin()(LUMA[0]) == one.restored(LUMA[0])).all()
    torch.nn.init.normal_(next(swin.parameters()))
    swin.save_pretrained(tmp_path / "swin")
    with pytest.raises(ModelError, match="measured with other weights"):
        load_restorer(tmp_path / "model")


def test_other_filters_are_refused(tmp_path):
    save_restorer(Restorer(4, by="nearest"), tmp_path / "model")
    with pytest.raises(ModelError, match="filter that is not known"):
        load_restorer(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "value"), [("scale", 3), ("width", 10**6), ("blocks", -1), ("width", "1")]
)
def test_sizes_that_cannot_be_are_refused(tmp_path, name, value):
    save_restorer(Restorer(2, network()), tmp_path / "model")
    path = tmp_path / "model" / "pixels.json"
    document = json.loads(path.read_text())
    document["sizes"][name] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="sizes of a network that cannot be"):
        load_restorer(tmp_path / "model")
