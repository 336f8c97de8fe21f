"""A trained network as the head of a graph: pooling, network, temperature, written by torch.

Shape letters: B clips, N tokens of a clip in time order, D features of a token, S steps,
K classes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.features import time_steps
from vidfit.networks.clips import Clips
from vidfit.networks.head import NetworkHead
from vidfit.runtime import onnx


class NetworkAnswer(nn.Module):
    """A `vidfit.networks.head.NetworkHead` over the steps in time of its one member."""

    share_SN: Tensor
    mean_D: Tensor
    scale_D: Tensor

    def __init__(self, head: NetworkHead, temperature: float, count: int) -> None:
        super().__init__()
        self.network = head.module
        self.temperature = temperature
        self.alive = max(int((head.scale_D > 0).sum()), 1)
        # Steps are weighed means of tokens: those of unit vectors are the weights.
        share_SN = time_steps(np.eye(count, dtype=np.float32)).reshape(-1, count)
        self.register_buffer("share_SN", torch.tensor(share_SN))
        self.register_buffer("mean_D", torch.tensor(head.mean_D))
        self.register_buffer("scale_D", torch.tensor(head.scale_D))

    def forward(self, tokens_BND: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities [B, K] and novelty [B] of tokens."""
        standard_BSD = (self.share_SN @ tokens_BND - self.mean_D) * self.scale_D
        logits_BK = self.network(Clips(standard_BSD))
        novelty_B = (standard_BSD**2).mean(1).sum(1) / self.alive
        return torch.softmax(logits_BK / self.temperature, dim=1), novelty_B


def export_network_head(head: NetworkHead, temperature: float, count: int, path: Path) -> None:
    """Write the head as ONNX: ``tokens_0`` [B, N, D] to ``probabilities`` and ``novelty``, any B.

    Parameters
    ----------
    count
        Tokens of a clip, N.
    """
    module = NetworkAnswer(head, temperature, count).eval()
    # Two clips: a batch of one would be taken for a constant.
    tokens_BND = torch.zeros(2, count, head.shape.dim)
    onnx.export_module(module, tokens_BND, "tokens_0", ["probabilities", "novelty"], path)
