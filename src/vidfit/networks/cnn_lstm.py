"""A small network over the frames themselves, trained from nothing.

A convolutional encoder of each frame, an LSTM over time, a linear layer (Donahue et al. 2015,
"Long-term recurrent convolutional networks", without their pretrained encoder). For videos that
no pretrained encoder has seen the like of; it needs more clips than a head over tokens.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from vidfit.networks import Shape
from vidfit.networks.blocks import answer
from vidfit.networks.clips import Clips
from vidfit.networks.lstm import recurrent
from vidfit.networks.seen import last_of_real, seen_frames

STAGES = 4
"""Each halves the image and doubles the channels, up to the network's width."""

LEAST_CHANNELS = 8


class CnnLstm(nn.Module):
    """Convolutions with stride, global average, LSTM, last state, answer.

    ``dim``, ``heads`` and ``drop_path`` of the `Shape` do not matter. Batch normalisation
    (Ioffe and Szegedy 2015) sees the frames of a micro-batch.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = encoder(shape.width)
        self.drop = nn.Dropout(shape.dropout)
        self.lstm = recurrent(shape)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of uint8 frames [B, V, T, H, W, C]."""
        frames_BTHWC, present_BT = seen_frames(clips)
        images_NCHW = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        features_BTE = self.encoder(images_NCHW).unflatten(0, frames_BTHWC.shape[:2])
        states_BTE, _ = self.lstm(self.drop(features_BTE))
        logits_BK: Tensor = self.answer(last_of_real(states_BTE, present_BT))
        return logits_BK


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
