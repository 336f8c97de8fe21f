"""A network small enough that an export takes about a second."""

import pytest
import torch
from torch import nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import (
    FrameBackbone,
    FrameEncoder,
    count_gmacs,
    count_parameters,
    freeze,
)
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

PREPROCESSING = Preprocessing(32, 24, mean=(120.0, 110.0, 100.0), std=(60.0, 50.0, 40.0))


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 16, 3, 2)
        )

    def forward(self, images_NCHW):
        return self.layers(images_NCHW).mean((2, 3))


class Branching(Trunk):
    """Takes another way for some images, which no exporter can follow."""

    def forward(self, images_NCHW):
        features_NC = super().forward(images_NCHW)
        return features_NC if features_NC.sum() > 0 else -features_NC


def build(trunk_type=Trunk, architecture="cnn2d", clip_len=2):
    torch.manual_seed(0)
    network = freeze(FrameEncoder(trunk_type(), PREPROCESSING))
    spec = BackboneSpec(
        name="tiny",
        family="tiny",
        architecture=architecture,
        sampling=Sampling(clip_len, 3),
        preprocessing=PREPROCESSING,
        dim=16,
        parameters=count_parameters(network),
        gmacs_per_view=count_gmacs(network, PREPROCESSING, clip_len),
        licence="Apache-2.0",
        commercial_use=True,
        source="test",
        revision=weights.digest(network.state_dict()),
    )
    return FrameBackbone(spec, network)


@pytest.fixture(scope="session")
def tiny():
    return build()


@pytest.fixture(scope="session")
def branching():
    return build(Branching)


@pytest.fixture(scope="session")
def filled_cache(tiny, tmp_path_factory):
    """Exports of the tiny network for both engines; not to be changed by a test."""
    from vidfit import runtime

    folder = tmp_path_factory.mktemp("engines")
    for engine in ("onnx", "openvino"):
        runtime.accelerate(tiny, engine=engine, cache=folder)
    return folder
