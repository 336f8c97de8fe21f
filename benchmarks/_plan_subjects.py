"""What the benchmarks of plans train: networks of several kinds, with random weights.

Shape letters: B views, T frames, H height, W width, C channels, N tokens, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from vidfit.backbones import load
from vidfit.backbones.encoder import FrameBackbone
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.tuned import Tuned
from vidfit.planning.trial import Trainee

CLASSES, STEPS = 10, 8


@dataclass(frozen=True)
class Kind:
    """An encoder and the views that it is shown, or ``None`` and tokens [N, D]."""

    encoder: Callable[[], nn.Module] | None
    shape: tuple[int, ...]
    dim: int
    network: str = "mean"


class Seen(nn.Module):
    """A model of transformers as an encoder of uint8 views."""

    def __init__(self, model: nn.Module, video: bool) -> None:
        super().__init__()
        self.model = model
        self.video = video

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return one token a view."""
        images = frames_BTHWC.permute(0, 1, 4, 2, 3).float() / 255
        output = self.model(images if self.video else images.flatten(0, 1))
        hidden = output.last_hidden_state
        pooled = hidden.mean((2, 3)) if hidden.ndim == 4 else hidden.mean(1)
        return pooled[:, None]


def _lite() -> nn.Module:
    return cast(FrameBackbone, load("efficientnet-lite0")).network


def _resnet() -> nn.Module:
    from transformers import ResNetConfig, ResNetModel

    sizes = {"depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]}
    return Seen(ResNetModel(ResNetConfig(layer_type="basic", **sizes)), video=False)


def _vit() -> nn.Module:
    from transformers import ViTConfig, ViTModel

    return Seen(ViTModel(ViTConfig(image_size=160, **_small())), video=False)


def _videomae() -> nn.Module:
    from transformers import VideoMAEConfig, VideoMAEModel

    return Seen(VideoMAEModel(VideoMAEConfig(image_size=112, **_small())), video=True)


def _small() -> dict[str, Any]:
    return {
        "hidden_size": 192,
        "num_hidden_layers": 6,
        "num_attention_heads": 3,
        "intermediate_size": 768,
    }


KINDS: dict[str, Kind] = {
    "lite0": Kind(_lite, (2, 1, 224, 224, 3), 1280),
    "lite0-lora": Kind(_lite, (2, 1, 224, 224, 3), 1280),
    "resnet": Kind(_resnet, (2, 1, 128, 128, 3), 512),
    "vit": Kind(_vit, (2, 1, 160, 160, 3), 192),
    "videomae": Kind(_videomae, (1, 16, 112, 112, 3), 192),
    "transformer": Kind(None, (128, 768), 768, "transformer"),
    "lstm": Kind(None, (64, 768), 768, "lstm"),
}


def trainee(arguments: Mapping[str, Any]) -> Trainee:
    """Make what planning measures; ``arguments`` names the kind."""
    torch.manual_seed(0)
    kind = KINDS[arguments["kind"]]
    if kind.encoder is None:
        shape = Shape(kind.dim, kind.shape[0], CLASSES, width=256, layers=2)
        return Trainee(build(kind.network, shape), partial(_tokens, kind.shape), CLASSES)
    head = build(kind.network, Shape(kind.dim, STEPS, CLASSES))
    tuned = Tuned(kind.encoder(), head, STEPS, kind.dim)
    if arguments["kind"].endswith("-lora"):
        from vidfit.networks.lora import add_low_rank

        tuned.encoder = add_low_rank(tuned.encoder, 8, 16)
    return Trainee(tuned, partial(_frames, kind.shape), CLASSES)


def _tokens(shape: tuple[int, ...], count: int) -> Clips:
    return Clips(tokens_BND=torch.rand(count, *shape))


def _frames(shape: tuple[int, ...], count: int) -> Clips:
    return Clips(frames_BVTHWC=torch.randint(0, 255, (count, *shape), dtype=torch.uint8))
