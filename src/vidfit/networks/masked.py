"""Learning from clips without labels: hide most of a clip and predict it from the rest.

Three things are asked of the network `video-text`, and each costs about 1 where nothing is
learned: pixels of hidden tubes (Tong et al., "VideoMAE", 2022), hidden words (Devlin et al.,
"BERT", 2019), and whether a text is that of the clip (frame-text matching; Kim et al., "ViLT",
2021). Of clips without text only the first is asked.

Shape letters: B clips, P spatial places, N = steps * P tubelets in time order, R tubelets of them
that are visible, X pixels of a tubelet, L text tokens, V vocabulary, E width of the trunk, F width
of the decoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.blocks import blocks, linear
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real
from vidfit.networks.video_text import (
    PATCH_PIXELS,
    Tubelets,
    VideoText,
    VideoTrunk,
    tubelets,
)
from vidfit.networks.vocabulary import HIDDEN, PADDING

HIDDEN_PLACES, HIDDEN_WORDS = 0.9, 0.15
"""Shares that are hidden, as in the papers."""

DECODER_LAYERS = 1
"""A light decoder leaves the understanding to the trunk."""

LEAST_DEVIATION = 1e-3
"""Added to a tubelet's deviation, an eighth of a grey level: the 1e-6 of Tong et al. would blow up
the rounding of a flat one to a pattern that nobody can predict."""

LEARNED = ("trunk.", "words.")
"""Beginnings of the names of weights that another `video-text` takes over."""


class MaskedClips(nn.Module):
    """A `VideoText`, and what predicts from its tokens what was hidden.

    ``forward`` gives a loss for each clip, so that micro-batches add up to the mean of a step.
    What is hidden is drawn from torch's random numbers, which the loop seeds for each
    micro-batch. Wrong texts are those of the other clips of the micro-batch.

    Parameters
    ----------
    shape
        Of the `VideoText` that is to be trained later.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.network = VideoText(shape)
        self.network.answer.requires_grad_(False)  # what never learns has no state to go on from
        half = max(shape.width // 2 // shape.heads, 1) * shape.heads
        narrow = replace(shape, width=half, layers=DECODER_LAYERS, dropout=0.0, drop_path=0.0)
        self.to_decoder = nn.Sequential(nn.LayerNorm(shape.width), linear(shape.width, half))
        self.hidden_F = nn.Parameter(0.02 * torch.randn(half))
        self.decoder = blocks(narrow)
        pixels = self.network.trunk.embedding.in_features
        self.to_pixels = nn.Sequential(nn.LayerNorm(half), linear(half, pixels))
        if shape.vocabulary:
            self.to_word = nn.Sequential(
                nn.LayerNorm(shape.width), linear(shape.width, shape.vocabulary)
            )
            self.to_match = nn.Sequential(nn.LayerNorm(shape.width), linear(shape.width, 1))

    def forward(self, clips: Clips) -> Tensor:
        """Return losses [B] of uint8 frames, and of text where there is any.

        Raises
        ------
        BackboneError
            If the clips have no frames, or their frames are one place only.
        """
        seen = tubelets(clips)
        hidden_BN = tube_mask(seen)
        x_BRE, present_BR, index_BR = self._visible(seen, hidden_BN)
        if self.network.words is None or clips.text_BL is None:
            joint_BRE = self.network.trunk(x_BRE, present_BR)
            return self._of_pixels(seen, hidden_BN, (joint_BRE, index_BR))
        text_BL = clips.text_BL
        asked_BL = asked_words(text_BL)
        shown_BL = text_BL.masked_fill(asked_BL, HIDDEN)
        joint_BSE = self._joint(x_BRE, present_BR, shown_BL)
        count = x_BRE.shape[1]
        losses_B = self._of_pixels(seen, hidden_BN, (joint_BSE[:, :count], index_BR))
        losses_B = losses_B + self._of_words(joint_BSE[:, count:], text_BL, asked_BL)
        other_BSE = self._joint(x_BRE, present_BR, shown_BL.roll(1, dims=0))
        pooled = (
            self._pooled(joint_BSE, present_BR, text_BL),
            self._pooled(other_BSE, present_BR, text_BL.roll(1, dims=0)),
        )
        return losses_B + self._of_matches(pooled, text_BL)

    def predicted(self, seen: Tubelets, hidden_BN: Tensor) -> Tensor:
        """Return normalised pixels [B, N, X]; the trunk sees only what is not hidden."""
        x_BRE, present_BR, index_BR = self._visible(seen, hidden_BN)
        return self._pixels(seen, self.network.trunk(x_BRE, present_BR), index_BR)

    def learned(self) -> dict[str, Tensor]:
        """Return the weights that a `VideoText` takes over: trunk and words."""
        state = self.network.state_dict()
        return {name: tensor for name, tensor in state.items() if name.startswith(LEARNED)}

    def _visible(self, seen: Tubelets, hidden_BN: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # As many are visible in each clip.
        visible = int((~hidden_BN[0]).sum())
        index_BR = hidden_BN.to(torch.uint8).argsort(dim=1, stable=True)[:, :visible]
        x_BNE = self.network.trunk.embedded(seen)
        x_BRE = x_BNE.gather(1, index_BR[..., None].expand(-1, -1, x_BNE.shape[2]))
        return x_BRE, seen.present_BN.gather(1, index_BR), index_BR

    def _joint(self, x_BRE: Tensor, present_BR: Tensor, text_BL: Tensor) -> Tensor:
        words = cast(nn.Module, self.network.words)
        joint_BSE = torch.cat([x_BRE, words(text_BL)], dim=1)
        present_BS = torch.cat([present_BR, text_BL != PADDING], dim=1)
        seen_BSE: Tensor = self.network.trunk(joint_BSE, present_BS)
        return seen_BSE

    def _pooled(self, joint_BSE: Tensor, present_BR: Tensor, text_BL: Tensor) -> Tensor:
        count = present_BR.shape[1]
        words_BE = mean_of_real(joint_BSE[:, count:], text_BL != PADDING)
        return mean_of_real(joint_BSE[:, :count], present_BR) + words_BE

    def _pixels(self, seen: Tubelets, joint_BRE: Tensor, index_BR: Tensor) -> Tensor:
        visible_BRF = self.to_decoder(joint_BRE)
        shape_BN = seen.present_BN.shape
        hidden_BNF = self.hidden_F.to(visible_BRF.dtype).expand(*shape_BN, -1)
        x_BNF = hidden_BNF.scatter(1, index_BR[..., None].expand_as(visible_BRF), visible_BRF)
        x_BNF = x_BNF + seen.places_NE(x_BNF.shape[2])
        for block in self.decoder:
            x_BNF = block(x_BNF, seen.present_BN)
        pixels_BNX: Tensor = self.to_pixels(x_BNF)
        return pixels_BNX

    def _of_pixels(
        self, seen: Tubelets, hidden_BN: Tensor, visible: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Return the mean squared error [B] over the hidden tubelets that are real."""
        error_BN = (self._pixels(seen, *visible) - targets(seen)).square().mean(dim=2)
        return _mean(error_BN, hidden_BN & seen.present_BN)

    def _of_words(self, joint_BLE: Tensor, text_BL: Tensor, asked_BL: Tensor) -> Tensor:
        """Return the cross-entropy [B] of the hidden words, of one of chance as 1."""
        logits_BVL = self.to_word(joint_BLE).transpose(1, 2)
        lost_BL = functional.cross_entropy(logits_BVL, text_BL, reduction="none")
        return _mean(lost_BL / math.log(logits_BVL.shape[1]), asked_BL)

    def _of_matches(self, pooled: tuple[Tensor, Tensor], text_BL: Tensor) -> Tensor:
        """Return the cross-entropy [B] of what belongs together, in bits."""
        right_B, wrong_B = (functional.softplus(s * self.to_match(p)[:, 0])
                            for s, p in zip((-1, 1), pooled, strict=True))  # fmt: skip
        other_BL = text_BL.roll(1, dims=0)
        differs_B = (text_BL != other_BL).any(1) & text_BL.any(1) & other_BL.any(1)
        return differs_B * (right_B + wrong_B) / (2 * math.log(2))


def _mean(values_BN: Tensor, counts_BN: Tensor) -> Tensor:
    """Return the mean [B] of the values that count; zero where none does."""
    weight_BN = counts_BN.to(values_BN.dtype)
    mean_B: Tensor = (values_BN * weight_BN).sum(dim=1) / weight_BN.sum(dim=1).clamp(min=1.0)
    return mean_B


def tube_mask(seen: Tubelets, share: float = HIDDEN_PLACES) -> Tensor:
    """Return which tubelets are hidden, [B, N]: in each clip some places, at all times alike.

    A place that is hidden now cannot be copied from where it is seen a moment later (tube
    masking). At least one place is seen, and at least one is hidden.

    Raises
    ------
    BackboneError
        If there is one place only.
    """
    places = seen.rows * seen.columns
    if places < 2:
        raise BackboneError(
            f"Frames of at most {PATCH_PIXELS} x {PATCH_PIXELS} pixels are one place: nothing is "
            "left to predict it from. Read the clips at a larger size."
        )
    count = min(max(round(places * share), 1), places - 1)
    rank_BP = torch.rand(len(seen.pixels_BNX), places).argsort(dim=1).argsort(dim=1)
    return (rank_BP < count).repeat(1, seen.steps).to(seen.pixels_BNX.device)


def asked_words(text_BL: Tensor, share: float = HIDDEN_WORDS) -> Tensor:
    """Return which words are hidden, [B, L]: a share of them, and of each text one at least."""
    drawn_BL = torch.rand(text_BL.shape, device=text_BL.device)
    drawn_BL = drawn_BL.masked_fill(text_BL == PADDING, 2.0)
    first_B1 = drawn_BL.min(dim=1, keepdim=True).values
    return (drawn_BL < share) | ((drawn_BL == first_B1) & (text_BL != PADDING))


def targets(seen: Tubelets) -> Tensor:
    """Return pixels [B, N, X], normalised within each tubelet and colour (Tong et al. 2022)."""
    pixels_BNYC = seen.pixels_BNX.unflatten(2, (-1, 3))  # type: ignore[no-untyped-call]
    centred_BNYC = pixels_BNYC - pixels_BNYC.mean(2, keepdim=True)
    normal_BNYC: Tensor = centred_BNYC / (pixels_BNYC.std(2, keepdim=True) + LEAST_DEVIATION)
    return normal_BNYC.flatten(2)


def take_over(network: nn.Module, learned: Mapping[str, Tensor]) -> None:
    """Give a `VideoText` what was learned without labels; its answer stays as it is.

    Raises
    ------
    BackboneError
        If the network has no such trunk, or one of another width, depth or vocabulary.
    """
    wanted = {n: t.shape for n, t in network.state_dict().items() if n.startswith(LEARNED)}
    other = {n for n, t in learned.items() if wanted.get(n) != t.shape} | wanted.keys() - learned
    if other:
        raise BackboneError(
            f"{type(network).__name__} differs from the network that was pretrained in "
            f"{len(other)} tensors, such as {min(other)!r}; build both with the same width, layers "
            "and vocabulary, and the network as 'video-text'."
        )
    network.load_state_dict(dict(learned), strict=False)


@torch.no_grad()
def steps_in_time(network: nn.Module, clips: Clips) -> Tensor:
    """Return what the trunk of a `VideoText` sees in frames as tokens [B, S, E] in time order."""
    seen, trunk = tubelets(clips), cast(VideoTrunk, network.trunk)
    x_BNE = trunk(trunk.embedded(seen), seen.present_BN)
    steps_BSE: Tensor = x_BNE.unflatten(1, (seen.steps, -1)).mean(dim=2)
    return steps_BSE
