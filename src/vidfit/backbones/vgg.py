"""VGG-11, 13, 16 and 19 from a state dict on disk.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(ICLR 2015), configurations A, B, D and E, with or without batch normalisation. Keys are those
of torchvision and timm. Only the convolutions are used: their last maps are averaged to 512
features, and the fully connected layers (nine tenths of the weights) are left out.
"""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import (
    FrameBackbone,
    FrameEncoder,
    count_gmacs,
    count_parameters,
    freeze,
)
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.errors import BackboneError

FEATURES = 512

# convolutions a stage; each stage ends in a 2x2 maximum
CONVOLUTIONS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
CHANNELS = (64, 128, 256, 512, 512)
VARIANTS = (*CONVOLUTIONS, *(f"{name}_bn" for name in CONVOLUTIONS))

# ImageNet statistics of torchvision's weights, on the 0-255 scale
PREPROCESSING = Preprocessing(
    224,
    224,
    short_side_pixels=256,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)


class Vgg(nn.Module):
    """The convolutions of VGG, averaged over the image: [N, 3, H, W] -> [N, 512]."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        self.features = nn.Sequential(*_layers(variant))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return features of images of at least 32 x 32 pixels."""
        features_NC: Tensor = self.features(images_NCHW).mean((2, 3))
        return features_NC


def load(variant: str, source: str, *, download: bool = False) -> FrameBackbone:
    """Load a VGG from a local state dict; its classifier, of any shape, is ignored.

    Parameters
    ----------
    variant
        One of `VARIANTS`.
    source
        A ``.safetensors`` or ``.pth`` file with the keys of torchvision or timm, also with
        what training frameworks put before them.
    download
        Has no effect: weights are read from the disk only.

    Raises
    ------
    BackboneError
        When the file cannot be read, or its keys or shapes are of another network; the
        message names them.
    """
    path = Path(source).expanduser()
    trunk = _empty(variant)
    taken = weights.take(trunk, weights.read(path), source)
    network = freeze(FrameEncoder(trunk, PREPROCESSING))
    spec = BackboneSpec(
        name=f"{variant}:{path.name}",
        family="vgg",
        architecture="cnn2d",
        sampling=Sampling(clip_len=1, num_clips=8),
        preprocessing=PREPROCESSING,
        dim=FEATURES,
        parameters=count_parameters(network),
        gmacs_per_view=count_gmacs(network, PREPROCESSING, 1),
        # A file does not say what its weights were trained on, nor under which terms.
        licence="unknown",
        commercial_use=None,
        source=f"file:{path.name}",
        revision=weights.digest(network.state_dict()),
    )
    return FrameBackbone(spec, network, taken)


vgg11 = functools.partial(load, "vgg11")
vgg13 = functools.partial(load, "vgg13")
vgg16 = functools.partial(load, "vgg16")
vgg19 = functools.partial(load, "vgg19")
vgg11_bn = functools.partial(load, "vgg11_bn")
vgg13_bn = functools.partial(load, "vgg13_bn")
vgg16_bn = functools.partial(load, "vgg16_bn")
vgg19_bn = functools.partial(load, "vgg19_bn")


def restore(directory: Path, spec: BackboneSpec) -> FrameBackbone:
    """Rebuild a saved VGG; its variant stands before the colon of its name."""
    variant = spec.name.partition(":")[0]
    if variant not in VARIANTS:
        raise BackboneError(
            f"{directory} holds a VGG called {spec.name!r}; valid names begin with "
            f"{', '.join(VARIANTS)} and a colon. Save the backbone again."
        )
    state = weights.read(directory / weights.FILE_NAME)
    trunk = _empty(variant)
    weights.fill(trunk, weights.without_prefix(state, "trunk."), str(directory))
    return FrameBackbone(spec, freeze(FrameEncoder(trunk, spec.preprocessing)))


def _empty(variant: str) -> Vgg:
    with torch.device("meta"):
        return Vgg(variant)


def _layers(variant: str) -> list[nn.Module]:
    normed = variant.endswith("_bn")
    layers: list[nn.Module] = []
    channels_in = 3
    for repeats, channels in zip(CONVOLUTIONS[variant.removesuffix("_bn")], CHANNELS, strict=True):
        for _ in range(repeats):
            layers.append(nn.Conv2d(channels_in, channels, 3, padding=1))
            layers += [nn.BatchNorm2d(channels), nn.ReLU()] if normed else [nn.ReLU()]
            channels_in = channels
        layers.append(nn.MaxPool2d(2, 2))
    return layers
