"""A tiny network of a 1x1 convolution and a matrix, and frames for it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from vidfit.backbones.encoder import FrameBackbone, FrameEncoder, count_parameters, freeze
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

SIZE = Preprocessing(16, 16, mean=(127.0,) * 3, std=(64.0,) * 3)


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.point = nn.Conv2d(16, 32, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.head = nn.Linear(32, 24)

    def forward(self, images_NCHW):
        x = torch.relu(self.norm(self.point(torch.relu(self.stem(images_NCHW)))))
        return self.head(x.mean((2, 3)))


def tiny():
    torch.manual_seed(0)
    network = FrameEncoder(Trunk(), SIZE)
    with torch.no_grad():
        network.trunk.norm.running_mean.normal_()
        # Spectra that fall, as those of trained layers do.
        for layer in (network.trunk.point, network.trunk.head):
            u, s, v = torch.linalg.svd(layer.weight.flatten(1), full_matrices=False)
            layer.weight.copy_((u * s * 0.6 ** torch.arange(len(s)) @ v).view_as(layer.weight))
    network = freeze(network)
    spec = BackboneSpec(
        "tiny", "tiny", "cnn2d", Sampling(1, 3), SIZE, 24, count_parameters(network), 0.0,
        "Apache-2.0", True, "test", "0",
    )  # fmt: skip
    return FrameBackbone(spec, network)


def frames(count=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 16, 16, 3), dtype=np.uint8)
