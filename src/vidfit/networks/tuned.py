"""A backbone and a network over its tokens as one module that sees frames.

Shape letters as in `vidfit.networks.clips`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidfit.networks.clips import Clips
from vidfit.networks.step import main_blocks


class Tuned(nn.Module):
    """Runs an encoder on frames, and a head on its tokens.

    The head sees the encoder's tokens as it does once it is deployed: brought to a number of steps
    in time (`vidfit.features.time_steps`) and standardised. Batch normalisations keep their
    running statistics, as is usual where batches of clips are small (Wang et al. 2016, TSN,
    partial BN); so the gradient of a step does not depend on how it is cut into micro-batches.

    Parameters
    ----------
    encoder
        Maps uint8 views [B, T, H, W, C] to float32 tokens [B, N, D], as
        `vidfit.contracts.TorchBackbone.network` does.
    head
        A network over tokens.
    steps
        Tokens that the head is given.
    dim
        Features of a token.
    """

    mean_D: Tensor
    scale_D: Tensor

    def __init__(self, encoder: nn.Module, head: nn.Module, steps: int, dim: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(True)
        self.head = head
        self.steps = steps
        self.register_buffer("mean_D", torch.zeros(dim))
        self.register_buffer("scale_D", torch.ones(dim))

    def train(self, mode: bool = True) -> Tuned:
        """Set the mode; batch normalisations stay in evaluation."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of frames [B, V, T, H, W, C]."""
        frames_BVTHWC = cast(Tensor, clips.frames_BVTHWC)
        count, views = frames_BVTHWC.shape[:2]
        tokens = self.encoder(frames_BVTHWC.flatten(0, 1))
        tokens_BND = tokens.reshape(count, views * tokens.shape[1], tokens.shape[2])
        standard_BSD = (in_steps(tokens_BND, self.steps) - self.mean_D) * self.scale_D
        logits_BK: Tensor = self.head(replace(clips, tokens_BND=standard_BSD, frames_BVTHWC=None))
        return logits_BK


def in_steps(tokens_BND: Tensor, steps: int) -> Tensor:
    """Return tokens [B, S, D] at equal times, as `vidfit.features.time_steps` does."""
    count = tokens_BND.shape[1]
    if count == steps:
        return tokens_BND
    place_S = ((torch.arange(steps) + 0.5) / steps * count - 0.5).clamp(0, count - 1)
    before_S = place_S.floor().long()
    share_S1 = (place_S - before_S).to(tokens_BND)[:, None]
    after_S = (before_S + 1).clamp(max=count - 1)
    return (1 - share_S1) * tokens_BND[:, before_S] + share_S1 * tokens_BND[:, after_S]


def checkpoint_blocks(encoder: nn.Module) -> int:
    """Compute the activations of the encoder's blocks again in the backward pass.

    Returns
    -------
    int
        How many blocks there are; 0 when the network has no list of blocks.
    """
    blocks = main_blocks(encoder)
    for block in blocks:
        plain = block.forward

        def again(*args: object, _plain: object = plain, **kwargs: object) -> object:
            if not torch.is_grad_enabled():
                return _plain(*args, **kwargs)  # type: ignore[operator]
            return checkpoint(_plain, *args, use_reentrant=False, **kwargs)  # type: ignore[arg-type]

        block.forward = again
    return len(blocks)
