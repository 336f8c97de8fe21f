"""VGG-11, 13, 16 and 19 from a state dict on disk.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(ICLR 2015), configurations A, B, D and E, with or without batch normalisation. Keys are those
of torchvision and timm. Only the convolutions are used: their last maps are averaged to 512
features, and the fully connected layers (nine tenths of the weights) are left out.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, from_state, restore_frames
from vidfit.contracts import BackboneSpec, Preprocessing
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
    return from_state(
        partial(Vgg, variant),
        weights.read(path),
        f"{variant}:{path.name}",
        family="vgg",
        preprocessing=PREPROCESSING,
        dim=FEATURES,
    )


vgg11 = partial(load, "vgg11")
vgg13 = partial(load, "vgg13")
vgg16 = partial(load, "vgg16")
vgg19 = partial(load, "vgg19")
vgg11_bn = partial(load, "vgg11_bn")
vgg13_bn = partial(load, "vgg13_bn")
vgg16_bn = partial(load, "vgg16_bn")
vgg19_bn = partial(load, "vgg19_bn")


def restore(directory: Path, spec: BackboneSpec) -> FrameBackbone:
    """Rebuild a saved VGG; its variant stands before the colon of its name."""
    variant = spec.name.partition(":")[0]
    if variant not in VARIANTS:
        raise BackboneError(
            f"{directory} holds a VGG called {spec.name!r}; valid names begin with "
            f"{', '.join(VARIANTS)} and a colon. Save the backbone again."
        )
    return restore_frames(partial(Vgg, variant), directory, spec)


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
