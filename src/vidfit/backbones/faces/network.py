"""The face network of dlib: 128 numbers of an aligned face, those of one person near each other.

Architecture and weights: King, "High Quality Face Recognition with Deep Metric Learning" (2017),
a ResNet of 29 convolutions that was trained on 3 million faces of 7,485 people; its
author gives 99.38 % on the pairs of LFW. Weights are CC0. They are read from dlib's file without
dlib and run as any network of torch does.

Shape letters: N pictures, C channels, H height, W width, D features.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, from_state, restore_frames
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS, package_weights
from vidfit.contracts import Floats, Preprocessing, Sampling
from vidfit.errors import BackboneError

NAME = "dlib-face"
FEATURES = 128
WEIGHTS_FILE = "dlib_face_recognition_resnet_model_v1.dat"

ALIGNED_PIXELS = 224
"""Side of a picture of an aligned face (`vidfit.backbones.faces.finding`); a network takes its
part of that."""

_SIDE_PIXELS = 150

# channels, blocks, whether the first of them halves the picture: one row a stage
STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))

_STEM = 32
_TENSOR_VERSION = 2
_GAP_BYTES = 400
"""What may lie between two tensors of the file."""

_PREPROCESSING = Preprocessing(
    _SIDE_PIXELS,
    _SIDE_PIXELS,
    short_side_pixels=ALIGNED_PIXELS,
    mean=(122.782, 117.001, 104.298),
    std=(256.0, 256.0, 256.0),
)


class FaceBlock(nn.Module):
    """Two convolutions and a shortcut; what is smaller or narrower is filled up with zeros."""

    def __init__(self, channels_in: int, channels: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)
        self.first = nn.Conv2d(channels_in, channels, 3, stride, padding)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return [N, C', H', W']."""
        y_NCHW = self.second(functional.relu(self.first(x_NCHW)))
        if not self.halves:
            return functional.relu(x_NCHW + y_NCHW)
        x_NCHW = functional.avg_pool2d(x_NCHW, 2, 2)
        sizes = zip(x_NCHW.shape[1:], y_NCHW.shape[1:], strict=True)
        channels, height, width = (max(pair) for pair in sizes)
        filled = [
            functional.pad(
                z, (0, width - z.shape[3], 0, height - z.shape[2], 0, channels - z.shape[1])
            )
            for z in (x_NCHW, y_NCHW)
        ]
        return functional.relu(filled[0] + filled[1])


class FaceNetwork(nn.Module):
    """Aligned faces [N, 3, 150, 150] -> unit vectors [N, 128]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 7, 2)
        widths = [_STEM, *(channels for channels, _, _ in STAGES)]
        self.blocks = nn.Sequential(
            *(
                FaceBlock(widths[i] if j == 0 else channels, channels, halves=halves and j == 0)
                for i, (channels, count, halves) in enumerate(STAGES)
                for j in range(count)
            )
        )
        self.last = nn.Linear(STAGES[-1][0], FEATURES, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return vectors of length 1, whose inner products are similarities."""
        x_NCHW = functional.max_pool2d(functional.relu(self.stem(x_NCHW)), 3, 2)
        return functional.normalize(self.last(self.blocks(x_NCHW).mean((2, 3))))


def dlib_face() -> FrameBackbone:
    """Load dlib's face network from the user's cache.

    Raises
    ------
    BackboneError
        When its weights were not fetched, or are damaged.
    """
    row = PACKAGE_WEIGHTS[NAME]
    state = read_dlib(package_weights(NAME)[WEIGHTS_FILE])
    made = from_state(
        FaceNetwork, state, NAME, family=NAME, preprocessing=_PREPROCESSING, dim=FEATURES
    )
    spec = replace(
        made.spec,
        sampling=Sampling(clip_len=1, num_clips=1),
        licence=row.licence,
        commercial_use=True,
        source=f"{row.registry.lower()}:{row.package}=={row.version}",
    )
    return replace(made, spec=spec)


restore = partial(restore_frames, FaceNetwork)
"""Rebuild a saved network from a directory and its spec."""


def read_dlib(path: Path) -> dict[str, Tensor]:
    """Read the weights from dlib's own file: tensors of known shapes in a known order.

    Each convolution is followed by a scale and a shift of each channel, which are put into it.

    Raises
    ------
    BackboneError
        When a tensor is not where it must be.
    """
    with torch.device("meta"):
        network = FaceNetwork()
    convolutions = {
        name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    }
    reader, state = _Tensors(path), {}
    for name, conv in convolutions.items():
        channels = conv.out_channels
        filters, bias = np.split(reader.take(conv.weight.numel() + channels), [-channels])
        scale, shift = np.split(reader.take(2 * channels), 2)
        kernels = filters.reshape(conv.weight.shape) * scale[:, None, None, None]
        state[f"{name}.weight"] = torch.tensor(kernels)
        state[f"{name}.bias"] = torch.tensor(bias * scale + shift)
    last = reader.take(*reversed(network.last.weight.shape)).reshape(-1, FEATURES)
    state["last.weight"] = torch.tensor(last.T.copy())
    weights.check_finite(state, str(path))
    return state


class _Tensors:
    """Tensors of a file of dlib's, one after the other.

    Whole numbers are written as a count of bytes and these bytes, the first of a tensor being the
    version 2 and its four sizes; its numbers are float32, little-endian.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._bytes, self._at = path, path.read_bytes(), 0

    def take(self, first: int, second: int = 1) -> Floats:
        sizes = (_TENSOR_VERSION, first, second, 1, 1)
        head = b"".join(map(_whole, sizes))
        found = self._bytes.find(head, self._at, self._at + _GAP_BYTES + len(head))
        start, count = found + len(head), first * second
        if found < 0 or len(self._bytes) < start + 4 * count:
            raise BackboneError(
                f"{self._path} has no tensor of {first} x {second} behind byte {self._at}: it is "
                f"not dlib's face network; run `vidfit models --fetch {NAME}`"
            )
        self._at = start + 4 * count
        return np.frombuffer(self._bytes, "<f4", count, start)


def _whole(number: int) -> bytes:
    content = number.to_bytes(max(1, -(-number.bit_length() // 8)), "little")
    return bytes([len(content)]) + content
