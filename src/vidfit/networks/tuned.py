"""A backbone and a network over its tokens as one module that sees frames.

Shape letters as in `vidfit.networks.clips`.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vidfit.networks.clips import Clips
from vidfit.networks.step import main_blocks


class Tuned(nn.Module):
    """Runs an encoder on frames, and a head on its tokens.

    Parameters
    ----------
    encoder
        Maps uint8 views [B, T, H, W, C] to float32 tokens [B, N, D], as
        `vidfit.contracts.TorchBackbone.network` does.
    head
        A network over tokens.
    frozen
        Whether the encoder keeps its weights, running statistics included.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, *, frozen: bool = False) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(not frozen)
        self.head = head
        self.frozen = frozen

    def train(self, mode: bool = True) -> Tuned:
        """Set the mode; a frozen encoder stays in evaluation."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of frames [B, V, T, H, W, C]."""
        frames_BVTHWC = clips.frames_BVTHWC
        assert frames_BVTHWC is not None, "Tuned sees frames"  # noqa: S101
        count, views = frames_BVTHWC.shape[:2]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            tokens = self.encoder(frames_BVTHWC.flatten(0, 1))
        tokens_BND = tokens.reshape(count, views * tokens.shape[1], tokens.shape[2])
        logits_BK: Tensor = self.head(replace(clips, tokens_BND=tokens_BND, frames_BVTHWC=None))
        return logits_BK


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

        block.forward = again  # type: ignore[method-assign, assignment]
    return len(blocks)
