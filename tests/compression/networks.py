"""Small networks as graphs: a convolutional one with every kind of layer, and a transformer."""

from __future__ import annotations

import numpy as np
from torch import nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, FrameEncoder, count_parameters, freeze
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling

SIZE = 32
PREPROCESSING = Preprocessing(SIZE, SIZE, mean=(127.0,) * 3, std=(128.0,) * 3)


class Convolutional(nn.Module):
    """Stem, depthwise, projection, sum and head, as in a MobileNet."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU6())
        self.depthwise = nn.Sequential(nn.Conv2d(32, 32, 3, 1, 1, groups=32), nn.ReLU6())
        self.project = nn.Conv2d(32, 32, 1)
        self.head = nn.Sequential(nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU())

    def forward(self, images_NCHW):
        x = self.stem(images_NCHW)
        return self.head(self.project(self.depthwise(x)) + x).mean((2, 3))


class Transformer(nn.Module):
    """Patches of 8 pixels and one layer of attention."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 8, 8)
        self.layer = nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True, norm_first=True)
        self.out = nn.Linear(64, 48)

    def forward(self, images_NCHW):
        tokens = self.patches(images_NCHW).flatten(2).transpose(1, 2)
        return self.out(self.layer(tokens).mean(1))


def backbone(trunk: nn.Module, preprocessing: Preprocessing = PREPROCESSING) -> FrameBackbone:
    network = freeze(FrameEncoder(trunk, preprocessing))
    spec = BackboneSpec(
        name="tiny",
        family="tiny",
        architecture="cnn2d",
        sampling=Sampling(1, 4),
        preprocessing=preprocessing,
        dim=64,
        parameters=count_parameters(network),
        gmacs_per_view=0.0,
        licence="Apache-2.0",
        commercial_use=True,
        source="test",
        revision=weights.digest(network.state_dict()),
    )
    return FrameBackbone(spec, network)


def pictures(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Return views [B, 1, H, W, 3] with edges and smooth shades, and both ends of the scale."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    views = np.empty((count, 1, size, size, 3), np.uint8)
    for view in views:
        phase, slope = rng.uniform(0, 6, 3), rng.uniform(-9, 9, (2, 3))
        waves = np.sin(y[..., None] * slope[0] + x[..., None] * slope[1] + phase)
        box = (y > rng.uniform(0, 0.8)) & (x > rng.uniform(0, 0.8))
        waves += box[..., None] * rng.uniform(-1, 1, 3) + rng.normal(0, 0.1, waves.shape)
        view[0] = np.clip(127 + 110 * waves, 0, 255)
    return views


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean cosine of tokens."""
    norms = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return float(((first * second).sum(-1) / norms).mean())
