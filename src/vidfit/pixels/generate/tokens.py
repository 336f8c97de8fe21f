"""Clips as sequences of tokens, and a GPT that goes on with them.

A token stands for a block of 8 x 8 pixels over a pair of frames: what it looks like and how it
changes, the nearest centre of a codebook (`vidfit.language.codebook`). A sequence begins with the
token of its class. Drawing keeps keys and values of what was said, so that each token costs one
row.

Shape letters: B clips, N tokens of a clip, D numbers of a block, V centres, E width, H heads.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.contracts import Floats, Frames, Indices
from vidfit.language.codebook import Codebook
from vidfit.networks import Shape
from vidfit.networks.gpt import GptBlock, GptLanguage, turned, turns
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.sizes import BLOCK_PIXELS, PAIR, ClipSizes
from vidfit.pixels.learn import Descent

BATCH, RATE, HEADS = 16, 2e-3, 4

_AT_ONCE = 64
_MOST_LEARNED = 128
"""Clips that a codebook is learned from."""


def blocks(frames_BTSSC: Frames) -> Floats:
    """Return looks and changes [B, N, D] of blocks, from 0 to 1 and from -1 to 1."""
    batch, frames, side = frames_BTSSC.shape[:3]
    cells, cut = side // BLOCK_PIXELS, BLOCK_PIXELS
    shape = (batch, frames // PAIR, PAIR, cells, cut, cells, cut, 3)
    parts = (frames_BTSSC.astype(np.float32) / 255).reshape(shape)
    parts = parts.transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch, -1, PAIR, cut * cut * 3)
    both: Floats = np.concatenate([parts[:, :, 0], parts[:, :, 1] - parts[:, :, 0]], axis=2)
    return both


def frames_of(blocks_BND: Floats, sizes: ClipSizes) -> Frames:
    """Return the clips [B, T, S, S, 3] of blocks."""
    batch, cells, cut = len(blocks_BND), sizes.side // BLOCK_PIXELS, BLOCK_PIXELS
    look, change = np.split(blocks_BND, 2, axis=2)
    both = np.stack([look, look + change], axis=2)
    shape = (batch, sizes.frames // PAIR, cells, cells, PAIR, cut, cut, 3)
    parts = both.reshape(shape).transpose(0, 1, 4, 2, 5, 3, 6, 7)
    clips = parts.reshape(batch, sizes.frames, sizes.side, sizes.side, 3)
    frames: Frames = np.rint(np.clip(clips, 0, 1) * 255).astype(np.uint8)
    return frames


def learn_codebook(bank: ClipBank, sizes: ClipSizes, seed: int) -> Codebook:
    """Learn centres of blocks; fewer where there are fewer blocks."""
    drawn = np.random.default_rng(seed).permutation(len(bank))[:_MOST_LEARNED]
    rows_BND = blocks(bank.frames_NTSSC[drawn])
    centres = min(sizes.codes, rows_BND.shape[0] * rows_BND.shape[1] // 4)
    book = Codebook.learn([rows_BND], centres, seed)
    short = sizes.codes - len(book.centres_VD)  # the network's vocabulary stands
    filled = np.concatenate([book.centres_VD, np.repeat(book.centres_VD[:1], short, axis=0)])
    return Codebook(filled, book.scale_D)


def gpt_of(sizes: ClipSizes) -> GptLanguage:
    """Return an untrained network for classes and centres: class tokens follow those of centres."""
    vocabulary = sizes.codes + 1 + len(sizes.classes)
    shape = Shape(
        0, sizes.tokens + 1, 0, sizes.gpt_width, sizes.gpt_layers, HEADS, vocabulary=vocabulary
    )
    return GptLanguage(shape)


def first_tokens(labels_B: Indices, sizes: ClipSizes) -> Indices:
    """Return the token [B] with which the clip of a class begins; 0 without one."""
    begun: Indices = np.where(labels_B >= 0, sizes.codes + 1 + labels_B, 0)
    return begun


def gpt_trainee(gpt: GptLanguage, book: Codebook, bank: ClipBank, sizes: ClipSizes) -> Descent:
    """Return what trains a network on the tokens of a bank."""
    parts = range(0, len(bank), _AT_ONCE)
    tokens_NN = np.concatenate(
        [book.tokens(blocks(bank.frames_NTSSC[at : at + _AT_ONCE]))[0] for at in parts]
    )
    whole = np.concatenate([first_tokens(bank.labels_N, sizes)[:, None], tokens_NN], axis=1)
    rows = torch.from_numpy(whole)

    def loss(rng: np.random.Generator, done: float) -> Tensor:
        read = rows[torch.from_numpy(rng.integers(len(rows), size=BATCH))]
        gpt.train()
        logits_BNV = gpt(read[:, :-1])[..., : sizes.codes + 1]
        return functional.cross_entropy(logits_BNV.flatten(0, 1), read[:, 1:].flatten())

    return Descent(gpt, loss, RATE, decay=1e-2)


def draw_tokens(gpt: GptLanguage, labels_B: Indices, sizes: ClipSizes) -> Indices:
    """Return tokens [B, N] of clips of classes, each drawn given those before it."""
    gpt.eval()
    said = torch.from_numpy(first_tokens(labels_B, sizes))
    found = []
    with torch.no_grad():
        spoken = Spoken(gpt, sizes.tokens + 1)
        for _ in range(sizes.tokens):
            logits_BV = spoken.next(said)[:, 1 : sizes.codes + 1]
            said = torch.multinomial(logits_BV.softmax(dim=1), 1)[:, 0] + 1
            found.append(said)
    tokens_BN: Indices = torch.stack(found, dim=1).numpy()
    return tokens_BN


class Spoken:
    """A language model that goes on, with the keys and values of what was said."""

    def __init__(self, gpt: GptLanguage, most: int) -> None:
        self._gpt, self._at = gpt, 0
        self._turns_2NR = turns(most, gpt.trunk.head_width, torch.device("cpu"))
        self._kept: list[tuple[Tensor, Tensor] | None] = [None] * len(gpt.trunk.blocks)

    def next(self, tokens_B: Tensor) -> Tensor:
        """Return logits [B, V] of what follows one more token of each."""
        x_B1E = self._gpt.embedding(tokens_B[:, None])
        for place, block in enumerate(self._gpt.trunk.blocks):
            assert isinstance(block, GptBlock)  # noqa: S101  (for types: it holds blocks alone)
            x_B1E = x_B1E + self._attended(place, block, block.norm(x_B1E))
            x_B1E = x_B1E + block.perceptron(x_B1E)
        self._at += 1
        state_B1E = self._gpt.trunk.norm(x_B1E)
        logits_BV: Tensor = functional.linear(state_B1E[:, 0], self._gpt.embedding.weight)
        return logits_BV

    def _attended(self, place: int, block: GptBlock, x_B1E: Tensor) -> Tensor:
        own = block.attention
        parts = own.asked(x_B1E).unflatten(2, (3, own.heads, -1)).permute(0, 2, 3, 1, 4)
        query, key, value = parts.unbind(1)
        here = self._turns_2NR[:, self._at : self._at + 1]
        query, key = turned(query, here), turned(key, here)
        if (before := self._kept[place]) is not None:
            key, value = torch.cat([before[0], key], 2), torch.cat([before[1], value], 2)
        self._kept[place] = key, value
        taken = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = own.out(taken.transpose(1, 2).flatten(2))
        return out


def book_tensors(book: Codebook) -> dict[str, Tensor]:
    """Return a codebook as tensors by name."""
    return {"centres": torch.from_numpy(book.centres_VD), "scale": torch.from_numpy(book.scale_D)}


def book_module(sizes: ClipSizes) -> nn.Module:
    """Return a module with a place for a codebook's tensors."""
    module = nn.Module()
    numbers = 2 * BLOCK_PIXELS**2 * 3
    module.register_buffer("centres", torch.zeros(sizes.codes, numbers))
    module.register_buffer("scale", torch.zeros(numbers))
    return module
