"""What the networks are made of: ends that are alike, attention, and a transformer's blocks.

Shape letters: B clips, N tokens that ask, S tokens that are asked, D features of a token,
E hidden width, H heads, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.shown import counted

INNER = 4
"""Hidden width of a block's perceptron, in widths of the block (Vaswani et al. 2017)."""


def linear(dim_in: int, dim_out: int) -> nn.Linear:
    """Return a linear layer that keeps the variance (Glorot and Bengio 2010)."""
    layer = nn.Linear(dim_in, dim_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def stem(shape: Shape) -> nn.Sequential:
    """Return the way in: tokens of any scale [B, N, D] to the network's width [B, N, E]."""
    return nn.Sequential(
        nn.LayerNorm(shape.dim), linear(shape.dim, shape.width), nn.Dropout(shape.dropout)
    )


def answer(width: int, shape: Shape) -> nn.Sequential:
    """Return the way out: what was pooled [B, E] to logits [B, K], which start near zero."""
    layer = nn.Linear(width, shape.classes)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(nn.LayerNorm(width), nn.Dropout(shape.dropout), layer)


def sinusoids(count: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return positions [count, width] as sines and cosines (Vaswani et al. 2017, section 3.5)."""
    place_N1 = torch.arange(count, device=device, dtype=torch.float32)[:, None]
    rates = torch.arange(0, width, 2, device=device, dtype=torch.float32) / max(width, 1)
    angle_NR = place_N1 * 10_000.0**-rates
    return torch.stack([angle_NR.sin(), angle_NR.cos()], dim=2).flatten(1)[:, :width]


class Positions(nn.Module):
    """Adds to each token what its place in time stands for; learned, from sines and cosines."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.place_NE = nn.Parameter(sinusoids(tokens, width))

    def forward(self, x_BNE: Tensor) -> Tensor:
        """Return tokens [B, N, E] with their places.

        Raises
        ------
        BackboneError
            If a clip has more tokens than the network was made for.
        """
        count, most = x_BNE.shape[1], self.place_NE.shape[0]
        if count > most:
            raise BackboneError(
                f"The network received {counted(count, 'token')} a clip and was made for at "
                f"most {most}; "
                "show it fewer views or frames, or build it with a larger Shape.tokens."
            )
        return x_BNE + self.place_NE[:count]


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2).

    Raises
    ------
    BackboneError
        If the width does not divide among the heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise BackboneError(
                f"A width of {width} does not divide among {heads} heads; choose a width that is "
                f"a multiple of {heads}, such as {-(-width // heads) * heads}."
            )
        self.heads = heads
        self.query, self.value, self.out = (linear(width, width) for _ in range(3))
        # A bias of the keys adds the same to all scores of a query: it would never learn.
        self.key = nn.Linear(width, width, bias=False)
        nn.init.xavier_uniform_(self.key.weight)

    def forward(self, asks_BNE: Tensor, asked_BSE: Tensor, present_BS: Tensor | None) -> Tensor:
        """Return what tokens [B, N, E] take of the real ones of tokens [B, S, E]."""
        query_BHND = self.query(asks_BNE).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key_BHSD = self.key(asked_BSE).unflatten(2, (self.heads, -1)).transpose(1, 2)
        value_BHSD = self.value(asked_BSE).unflatten(2, (self.heads, -1)).transpose(1, 2)
        mask_B11S = None if present_BS is None else present_BS[:, None, None]
        taken_BHND = functional.scaled_dot_product_attention(
            query_BHND, key_BHSD, value_BHSD, mask_B11S
        )
        taken_BNE: Tensor = self.out(taken_BHND.transpose(1, 2).flatten(2))
        return taken_BNE


class DropPath(nn.Module):
    """Leaves out a residual branch of some clips in training (Huang et al. 2016)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, branch_BNE: Tensor) -> Tensor:
        """Return the branch, scaled so that its mean stays."""
        if not self.training or not self.share:
            return branch_BNE
        keep_B11 = torch.rand_like(branch_BNE[:, :1, :1]) >= self.share
        return branch_BNE * keep_B11 / (1.0 - self.share)


class Block(nn.Module):
    """Attention and a perceptron, each normalised before and added (Xiong et al. 2020)."""

    def __init__(self, shape: Shape, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.attention = Attention(shape.width, shape.heads)
        self.perceptron = perceptron(shape)
        self.drop = nn.Sequential(nn.Dropout(shape.dropout), DropPath(drop_path))

    def forward(
        self, x_BNE: Tensor, present_BS: Tensor | None, asked_BSE: Tensor | None = None
    ) -> Tensor:
        """Return tokens [B, N, E] that have seen the real ones: of themselves, or of others."""
        normal_BNE = self.norm(x_BNE)
        asked_BSE = normal_BNE if asked_BSE is None else asked_BSE
        x_BNE = x_BNE + self.drop(self.attention(normal_BNE, asked_BSE, present_BS))
        out_BNE: Tensor = x_BNE + self.drop(self.perceptron(x_BNE))
        return out_BNE


def perceptron(shape: Shape) -> nn.Sequential:
    """Return a block's normalisation and perceptron, without the sum."""
    inner = INNER * shape.width
    return nn.Sequential(
        nn.LayerNorm(shape.width), linear(shape.width, inner), nn.GELU(), linear(inner, shape.width)
    )


def blocks(shape: Shape) -> nn.ModuleList:
    """Return ``shape.layers`` blocks."""
    return nn.ModuleList(Block(shape, share) for share in drop_shares(shape))


def drop_shares(shape: Shape) -> list[float]:
    """Return for each layer the share of paths left out; it grows evenly to ``drop_path``."""
    return [shape.drop_path * (layer + 1) / shape.layers for layer in range(shape.layers)]
