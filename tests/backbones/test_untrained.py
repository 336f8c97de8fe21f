"""Random weights: the same architecture, the same numbers each time, nothing learned."""

import dataclasses

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.backbones.untrained import draw_weights
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone, random_views


@pytest.fixture(scope="module")
def control():
    return backbones.load("random:efficientnet-lite0")


def test_control_keeps_the_contract(control):
    check_backbone(control)


def test_only_the_weights_and_what_is_said_of_them_differ(control):
    trained = backbones.load("efficientnet-lite0").spec
    changed = {
        field.name
        for field in dataclasses.fields(trained)
        if getattr(trained, field.name) != getattr(control.spec, field.name)
    }
    assert changed == {"name", "licence", "source", "revision"}
    assert control.spec.name == "random:efficientnet-lite0"
    assert "random weights, seed 0" in control.spec.source


def test_weights_are_the_same_each_time_and_differ_by_seed(control):
    again = backbones.load("random:efficientnet-lite0")
    assert again.spec.revision == control.spec.revision
    assert backbones.loading_report(again) is None  # what was taken is no longer there
    layer = torch.nn.Linear(50, 50)
    first = draw_weights(layer, seed=0).weight.clone()
    assert not torch.equal(first, draw_weights(layer, seed=1).weight)


def test_variance_is_two_over_fan_in():
    layer = torch.nn.Conv2d(64, 128, 3, groups=2)
    draw_weights(layer)
    # 36,864 draws estimate a variance to 0.7 %; five of these
    assert layer.weight.var().item() == pytest.approx(2 / (32 * 9), rel=0.037)
    assert not layer.bias.any()


def test_normalisation_begins_anew():
    norm = torch.nn.BatchNorm2d(4)
    for tensor in norm.state_dict().values():
        tensor.fill_(7)
    draw_weights(norm)
    fresh = torch.nn.BatchNorm2d(4).state_dict()
    assert all(torch.equal(norm.state_dict()[name], fresh[name]) for name in fresh)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2", "transnetv2"])
def test_activations_neither_vanish_nor_explode(name):
    backbone = backbones.load(f"random:{name}")
    dark = random_views(backbone.spec, 1) // 4
    tokens = backbone.forward(np.concatenate([dark, random_views(backbone.spec, 1, seed=1)]))
    assert 1e-3 < np.abs(tokens).mean() < 1e3
    differ = np.abs(tokens[0] - tokens[1]).mean() / np.abs(tokens).mean()
    assert differ > 0.01


def test_an_algorithm_has_no_weights_to_draw():
    with pytest.raises(BackboneError, match="'motion' has no weights that could be drawn"):
        backbones.load("random:motion")


def test_of_an_unknown_network():
    with pytest.raises(BackboneError, match="no backbone called 'efficientnet-lit0'"):
        backbones.load("random:efficientnet-lit0")
