"""MobileNetV2 from a state dict on disk.

Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks"
(CVPR 2018), table 2, at width 1. Keys are those of torchvision, or the flat ones of older ports
(``features.1.conv.3.weight`` instead of ``features.1.conv.1.weight``). The classifier, of any
shape, is ignored: the last maps are averaged to 1280 features.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, from_state, restore_frames
from vidfit.contracts import Preprocessing

FEATURES = 1280
STEM_CHANNELS = 32

# expansion, channels, blocks, stride: one row a stage (table 2)
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# ImageNet statistics, on the 0-255 scale. The whole frame is seen, not its centre: what a
# clip is about need not happen there.
PREPROCESSING = Preprocessing(224, 224, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, linear projection (section 3.3)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels_in * expansion
        expand = [_convolution(channels_in, inner, 1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *expand,
            _convolution(inner, inner, 3, stride, groups=inner),
            nn.Conv2d(inner, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.adds_input = stride == 1 and channels_in == channels_out

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return images [N, C', H / stride, W / stride]."""
        x: Tensor = self.conv(images_NCHW)
        return x + images_NCHW if self.adds_input else x


class MobileNetV2(nn.Module):
    """The network up to its pooled features: images [N, 3, H, W] -> [N, 1280]."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_convolution(3, STEM_CHANNELS, 3, 2)]
        channels_in = STEM_CHANNELS
        for expansion, channels, repeats, stride in STAGES:
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                blocks.append(InvertedResidual(channels_in, channels, step, expansion))
                channels_in = channels
        self.features = nn.Sequential(*blocks, _convolution(channels_in, FEATURES, 1))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return features, averaged over the image."""
        features_NC: Tensor = self.features(images_NCHW).mean((2, 3))
        return features_NC


def load(source: str, *, download: bool = False) -> FrameBackbone:
    """Load a MobileNetV2 of width 1 from a local state dict.

    Parameters
    ----------
    source
        A ``.safetensors``, ``.pth`` or ``.pt`` file with the keys of torchvision, or flat ones.
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
        MobileNetV2,
        _nested(weights.read(path)),
        f"mobilenetv2:{path.name}",
        family="mobilenetv2",
        preprocessing=PREPROCESSING,
        dim=FEATURES,
    )


restore = partial(restore_frames, MobileNetV2)
"""Rebuilds a saved backbone from its weights and its spec."""


def _nested(state: weights.State) -> weights.State:
    """Return torchvision's keys, whatever stands before them."""
    if not any(f".{key}".endswith(".features.1.conv.0.weight") for key in state):
        return state
    flat = re.compile(r"\b(features\.(\d+)\.conv)\.(\d)")
    return {flat.sub(_nested_key, key): value for key, value in state.items()}


def _nested_key(found: re.Match[str]) -> str:
    """Three layers (convolution, norm, ReLU6) are one in torchvision, but for the projection."""
    triple, place = divmod(int(found[3]), 3)
    projection = 1 if found[2] == "1" else 2
    return f"{found[1]}.{triple + place if triple == projection else f'{triple}.{place}'}"


def _convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU6(inplace=True),
    )
