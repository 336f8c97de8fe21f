"""VGG from state dicts saved here; random weights suffice to prove keys, shapes and figures."""

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.backbones import vgg, weights
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone

# Convolutions and biases of configurations A, B, D, E (paper, table 2, less the classifier)
PARAMETERS = {"vgg11": 9_220_480, "vgg13": 9_404_992, "vgg16": 14_714_688, "vgg19": 20_024_384}
# Keys of torchvision's state dicts: the last convolution of each network
LAST_CONVOLUTION = {
    "vgg11": "features.18.weight",
    "vgg13": "features.22.weight",
    "vgg16": "features.28.weight",
    "vgg19": "features.34.weight",
    "vgg11_bn": "features.25.weight",
    "vgg13_bn": "features.31.weight",
    "vgg16_bn": "features.40.weight",
    "vgg19_bn": "features.49.weight",
}


def random_state(variant):
    torch.manual_seed(0)
    return dict(vgg.Vgg(variant).state_dict())


@pytest.fixture(scope="module")
def vgg11_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg") / "vgg11.safetensors"
    weights.write(random_state("vgg11"), path)
    return path


@pytest.mark.parametrize("variant", vgg.VARIANTS)
def test_keys_and_parameters_are_the_published_ones(variant):
    with torch.device("meta"):
        network = vgg.Vgg(variant)
    state = network.state_dict()
    assert state[LAST_CONVOLUTION[variant]].shape == (512, 512, 3, 3)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == int(variant.removesuffix("_bn")[3:]) - 3
    counted = sum(p.numel() for m in convolutions for p in m.parameters())
    assert counted == PARAMETERS[variant.removesuffix("_bn")]


def test_vgg_keeps_the_contract(vgg11_file):
    backbone = backbones.load(f"vgg11:{vgg11_file}")
    assert backbone.spec.dim == 512
    # 7.61 GMACs with the classifier, which has 0.124
    assert backbone.spec.gmacs_per_view == pytest.approx(7.609 - 0.124, abs=0.005)
    assert backbone.spec.commercial_use is None
    check_backbone(backbone)


def test_classifier_is_left_out(tmp_path, vgg11_file):
    state = random_state("vgg11") | {"classifier.0.weight": torch.zeros(2, 2)}
    torch.save(state, tmp_path / "vgg11.pth")
    with_classifier = backbones.load(f"vgg11:{tmp_path / 'vgg11.pth'}")
    assert with_classifier.spec.revision == backbones.load(f"vgg11:{vgg11_file}").spec.revision
    assert str(backbones.loading_report(with_classifier)) == (
        "took 16 tensors; ignored classifier.0.weight"
    )


def test_a_fine_tuned_checkpoint_gives_its_convolutions(tmp_path, vgg11_file):
    state = {f"module.backbone.{k}": v for k, v in random_state("vgg11").items()}
    state["module.fc.weight"] = torch.zeros(7, 512)
    torch.save({"epoch": 9, "state_dict": state}, tmp_path / "mine.pth")
    mine = backbones.load(f"vgg11:{tmp_path / 'mine.pth'}")
    assert mine.spec.revision == backbones.load(f"vgg11:{vgg11_file}").spec.revision
    assert backbones.loading_report(mine).ignored == ("module.fc.weight",)


def test_a_checkpoint_without_a_convolution_is_refused(tmp_path):
    state = random_state("vgg11")
    del state["features.3.weight"]
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(BackboneError, match=r"missing: features\.3\.weight"):
        backbones.load(f"vgg11:{tmp_path / 'cut.pth'}")


def test_normalisation_is_inside(vgg11_file):
    backbone = backbones.load(f"vgg11:{vgg11_file}")
    frames = np.random.default_rng(0).integers(0, 256, (1, 1, 224, 224, 3), dtype=np.uint8)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    image = torch.tensor((frames[0, 0] / 255 - mean) / std, dtype=torch.float32).permute(2, 0, 1)
    with torch.no_grad():
        maps = backbone.network.trunk.features(image[None])
    np.testing.assert_allclose(
        backbone.forward(frames)[0, 0], maps.mean((2, 3))[0].numpy(), rtol=1e-3, atol=1e-5
    )


def test_weights_of_another_vgg_are_named(vgg11_file):
    with pytest.raises(BackboneError) as caught:
        backbones.load(f"vgg13:{vgg11_file}")
    assert "missing: features.10.bias" in str(caught.value)
    assert "unexpected: features.11.bias" in str(caught.value)
    assert "features.5.weight" not in str(caught.value).partition("another shape")[0]


def test_missing_file(tmp_path):
    with pytest.raises(BackboneError, match="no weights file"):
        backbones.load(f"vgg16:{tmp_path / 'absent.pth'}")
