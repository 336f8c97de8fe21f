"""Graphs that are exported once, and EfficientNet-Lite0, whose weights and activations are real."""

from __future__ import annotations

import pytest
import torch
from tests.compression.networks import Convolutional, Transformer, backbone

from vidfit import backbones
from vidfit.runtime import onnx


def exported(trunk, path):
    torch.manual_seed(0)
    onnx.export(backbone(trunk()), path)
    return path


@pytest.fixture(scope="session")
def convolutional(tmp_path_factory):
    return exported(Convolutional, tmp_path_factory.mktemp("graphs") / "convolutional.onnx")


@pytest.fixture(scope="session")
def transformer(tmp_path_factory):
    return exported(Transformer, tmp_path_factory.mktemp("graphs") / "transformer.onnx")


@pytest.fixture(scope="session")
def lite0(tmp_path_factory):
    path = tmp_path_factory.mktemp("graphs") / "lite0.onnx"
    onnx.export(backbones.load("efficientnet-lite0"), path)
    return path
