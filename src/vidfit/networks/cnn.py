"""Convolutions over the frames of a clip, each by itself.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N images,
E hidden width, K classes.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_frames

STAGES = 4
"""Each halves the image and doubles the channels, up to the network's width."""

LEAST_CHANNELS = 8


class Cnn(nn.Module):
    """Convolutions with stride, global average, mean over the frames, answer.

    The convolutions of `CnnLstm` without what reads them in order: what reading in order is
    worth, is measured against it. ``dim``, ``layers``, ``heads`` and ``drop_path`` of the `Shape`
    do not matter. Batch normalisation (Ioffe and Szegedy 2015) sees the frames of a micro-batch.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = encoder(shape.width)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of uint8 frames [B, V, T, H, W, C]."""
        frames_BTHWC, present_BT = seen_frames(clips)
        features_BTE = of_frames(self.encoder, frames_BTHWC)
        logits_BK: Tensor = self.answer(mean_of_real(features_BTE, present_BT))
        return logits_BK


def of_frames(network: nn.Module, frames_BTHWC: Tensor) -> Tensor:
    """Return what a network of images [N, 3, H, W] gives for each of uint8 frames, [B, T, E]."""
    images_NCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    features_BTE: Tensor = network(images_NCHW).unflatten(0, frames_BTHWC.shape[:2])
    return features_BTE


def encoder(width: int) -> nn.Sequential:
    """Return a network from images [N, 3, H, W] to features [N, width]."""
    channels = [3, *(max(width >> (STAGES - 1 - stage), LEAST_CHANNELS) for stage in range(STAGES))]
    channels[-1] = width
    stages = [_stage(*pair) for pair in pairwise(channels)]
    return nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _stage(channels_in: int, channels_out: int) -> nn.Sequential:
    """Return a convolution with stride 2, normalisation and ReLU (He et al. 2015)."""
    convolution = nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))
