"""The cost of a network, counted with and without running it."""

import pytest
import torch
from torch import nn

from vidfit.backbones.encoder import FrameEncoder, count_gmacs
from vidfit.contracts import Preprocessing

PREPROCESSING = Preprocessing(10, 20)
GMACS = 10 * 20 * 4 * 3 * 9 / 1e9


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, images_NCHW):
        return self.convolution(images_NCHW).mean((2, 3))


class LooksAtValues(Pooled):
    def forward(self, images_NCHW):
        features_NC = super().forward(images_NCHW)
        return features_NC if features_NC.sum() > 0 else -features_NC


@pytest.mark.parametrize("trunk", [Pooled, LooksAtValues])
@pytest.mark.parametrize("clip_len", [1, 3])
def test_gmacs_of_a_convolution(trunk, clip_len):
    network = FrameEncoder(trunk(), PREPROCESSING)
    assert count_gmacs(network, PREPROCESSING, clip_len) == pytest.approx(GMACS * clip_len)


def test_counting_leaves_the_weights_where_they_are():
    network = FrameEncoder(Pooled(), PREPROCESSING)
    count_gmacs(network, PREPROCESSING, 1)
    assert {tensor.device for tensor in network.parameters()} == {torch.device("cpu")}


def test_a_network_that_fails_is_not_counted():
    with pytest.raises(RuntimeError, match="size"):
        count_gmacs(FrameEncoder(nn.Conv2d(3, 4, 99), PREPROCESSING), PREPROCESSING, 1)
