"""A transformer that looks back only: a language model, and a head over the tokens of a clip.

Radford et al., "Language models are unsupervised multitask learners" (2019): blocks that
normalise first, each token attends to itself and to those before it, and what is said next is
read off with the embedding's own weights (tied; Press and Wolf 2017). Places are rotations of
queries and keys (RoPE; Su et al. 2021), so that a network may read on beyond the length that it
was trained on.

Shape letters: B sequences, N tokens in order, D features of a token, E hidden width, H heads,
R half of a head's width, L text tokens, V vocabulary, K classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.blocks import DropPath, answer, drop_shares, perceptron, stem
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_tokens

_START = 0.02
"""Standard deviation of embeddings at the start (Radford et al. 2019)."""

_SLOWEST = 10_000.0
"""Steps in which the slowest rotation turns by one radian (Su et al. 2021, section 3.2.2)."""


class BackwardAttention(nn.Module):
    """Multi-head attention of each token to itself and those before it, turned by their places.

    Raises
    ------
    BackboneError
        If the width does not divide into heads of even width.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        if shape.width % (2 * shape.heads):
            raise BackboneError(
                f"A width of {shape.width} does not divide into {shape.heads} heads of even width; "
                f"choose a multiple of {2 * shape.heads}."
            )
        self.heads, self.dropout = shape.heads, shape.dropout
        self.asked = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)
        nn.init.xavier_uniform_(self.asked.weight)
        nn.init.normal_(self.out.weight, std=1 / math.sqrt(2 * shape.layers * shape.width))

    def forward(self, x_BNE: Tensor, turns_2NR: Tensor) -> Tensor:
        """Return what tokens [B, N, E] take of those before them."""
        parts_B3HND = self.asked(x_BNE).unflatten(2, (3, self.heads, -1)).permute(0, 2, 3, 1, 4)
        query_BHND, key_BHND, value_BHND = parts_B3HND.unbind(1)
        taken_BHND = functional.scaled_dot_product_attention(
            turned(query_BHND, turns_2NR), turned(key_BHND, turns_2NR), value_BHND, is_causal=True
        )
        taken_BNE: Tensor = self.out(taken_BHND.transpose(1, 2).flatten(2))
        return taken_BNE


def turns(count: int, width: int, device: torch.device) -> Tensor:
    """Return cosines and sines [2, N, R] of the angles of places, for heads of a width."""
    rates_R = _SLOWEST ** (-torch.arange(0, width, 2, device=device).float() / width)
    angles_NR = torch.arange(count, device=device).float()[:, None] * rates_R
    return torch.stack([angles_NR.cos(), angles_NR.sin()])


def turned(x_BHND: Tensor, turns_2NR: Tensor) -> Tensor:
    """Return vectors whose first and second halves are turned against each other."""
    first_BHNR, second_BHNR = x_BHND.chunk(2, dim=3)
    cosine_NR, sine_NR = turns_2NR.unbind(0)
    return torch.cat(
        [
            first_BHNR * cosine_NR - second_BHNR * sine_NR,
            first_BHNR * sine_NR + second_BHNR * cosine_NR,
        ],
        dim=3,
    )


class GptBlock(nn.Module):
    """Attention backwards and a perceptron, each normalised before and added."""

    def __init__(self, shape: Shape, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.attention = BackwardAttention(shape)
        self.perceptron = perceptron(shape)
        self.drop = nn.Sequential(nn.Dropout(shape.dropout), DropPath(drop_path))

    def forward(self, x_BNE: Tensor, turns_2NR: Tensor) -> Tensor:
        """Return tokens [B, N, E] that have seen those before them."""
        x_BNE = x_BNE + self.drop(self.attention(self.norm(x_BNE), turns_2NR))
        out_BNE: Tensor = x_BNE + self.drop(self.perceptron(x_BNE))
        return out_BNE


class GptTrunk(nn.Module):
    """The blocks, and a last normalisation: embedded tokens to states [B, N, E]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.head_width = shape.width // shape.heads
        self.blocks = nn.ModuleList(GptBlock(shape, share) for share in drop_shares(shape))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, x_BNE: Tensor) -> Tensor:
        """Return the state of each token, which knows of no later one."""
        turns_2NR = turns(x_BNE.shape[1], self.head_width, x_BNE.device)
        for block in self.blocks:
            x_BNE = block(x_BNE, turns_2NR)
        states_BNE: Tensor = self.norm(x_BNE)
        return states_BNE


class GptLanguage(nn.Module):
    """Says of each token of a sequence what comes next; ``dim`` of the `Shape` does not matter.

    The same for bytes, for pieces of words and for quantised tokens of frames: it sees numbers
    below ``vocabulary``.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embedding.weight, std=_START)
        self.drop = nn.Dropout(shape.dropout)
        self.trunk = GptTrunk(shape)

    def forward(self, tokens_BN: Tensor) -> Tensor:
        """Return logits [B, N, V] of the token after each."""
        logits_BNV: Tensor = functional.linear(self.states(tokens_BN), self.embedding.weight)
        return logits_BNV

    def states(self, tokens_BN: Tensor) -> Tensor:
        """Return what is known after each token, [B, N, E]."""
        states_BNE: Tensor = self.trunk(self.drop(self.embedding(tokens_BN)))
        return states_BNE


class Gpt(nn.Module):
    """What a clip shows, then what it says, read once in time order; the mean state answers.

    With a ``vocabulary`` it reads words, too, and tokens of a backbone may be absent; text
    tokens of 0 are padding. Weights of a `GptLanguage` of the same width fit its ``trunk`` and
    ``embedding``: so a language model is fine-tuned.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = stem(shape) if shape.dim else None
        self.embedding = nn.Embedding(shape.vocabulary, shape.width) if shape.vocabulary else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=_START)
        self.trunk = GptTrunk(shape)
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of tokens [B, N, D] and of text [B, L]."""
        seen: list[Clips] = []
        if self.stem is not None and (clips.tokens_BND is not None or self.embedding is None):
            tokens_BND, present_BN = seen_tokens(clips)
            seen.append(Clips(self.stem(tokens_BND), present_BN))
        if self.embedding is not None and clips.text_BL is not None:
            seen.append(Clips(self.embedding(clips.text_BL), clips.text_BL != 0))
        if not seen:
            raise BackboneError("The network received clips with neither tokens nor text.")
        x_BNE, present_BN = seen_tokens(_joined(seen))
        logits_BK: Tensor = self.answer(mean_of_real(self.trunk(x_BNE), present_BN))
        return logits_BK


def _joined(seen: list[Clips]) -> Clips:
    """Return tokens one after the other; padding between them is moved to the end when read."""
    tokens = [part.tokens_BND for part in seen if part.tokens_BND is not None]
    present = [part.present_BN for part in seen if part.present_BN is not None]
    return Clips(torch.cat(tokens, dim=1), torch.cat(present, dim=1))
