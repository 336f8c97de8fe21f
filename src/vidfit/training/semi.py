"""Learning from clips without a label too: an averaged teacher, and pairs mixed by tubes.

Xing, Dai, Hu, Chen, Wu and Jiang (2023), SVFormer: semi-supervised video transformer for action
recognition. The moving average of the weights (Tarvainen and Valpola 2017) looks at a clip as it
is; where it is sure of a class, that class is the target of the clip (Sohn et al. 2020, FixMatch).
What is learned is a mixture of two clips: of frames by tubes, cells of the picture that are taken
from one clip at all times; of tokens by mixup (Zhang et al. 2018). Unlike SVFormer's, pairs are
drawn from all clips of a step, with a label or without, and there is no second loss: the mixture
is the strong view.

Whatever is drawn comes from `Micro`, which depends on seed, epoch and step alone.

Shape letters: B clips of a micro-batch, M clips, K classes, V views, T frames, H height, W width,
C channels, N tokens, D features of a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.contracts import Estimate, Indices, Seconds
from vidfit.errors import NotEnoughDataError
from vidfit.networks.clips import Clips
from vidfit.training.batches import Loaded

Rule = Literal["gain", "no-harm"]
"""What keeps it: an interval of the gain above zero, or one that does not lie below zero."""


@dataclass(frozen=True, slots=True)
class TubeMix:
    """How two clips become one.

    Parameters
    ----------
    cell_pixels
        Side of a tube; at the edges of a picture that does not divide, a little more or less.
    """

    cell_pixels: int = 16

    def __call__(self, own: Clips, other: Clips, shares_B: Seconds) -> tuple[Clips, Tensor]:
        """Return mixed clips, and the share [B] of the first in each, by area.

        Frames are cut into tubes, tokens are averaged, text is the first clip's, and a token is
        present where either clip has one.

        Parameters
        ----------
        shares_B
            Wanted shares in [0, 1]; 1 leaves a clip as it is. They also seed the tubes: random
            numbers that are drawn once a step, however it is dealt out.
        """
        share_B = torch.from_numpy(shares_B).float()
        frames = tokens = None
        if own.frames_BVTHWC is not None and other.frames_BVTHWC is not None:
            height, width = own.frames_BVTHWC.shape[3:5]
            mask_BHW = self.masks(shares_B, height, width)
            share_B = mask_BHW.float().mean(dim=(1, 2))
            mask_B11HW1 = mask_BHW[:, None, None, :, :, None]
            frames = torch.where(mask_B11HW1, own.frames_BVTHWC, other.frames_BVTHWC)
        if own.tokens_BND is not None and other.tokens_BND is not None:
            share_B11 = share_B[:, None, None]
            blend_BND = share_B11 * own.tokens_BND + (1 - share_B11) * other.tokens_BND
            # As it is, to the bit: padding may be no number.
            tokens = torch.where(share_B11 == 1, own.tokens_BND, blend_BND)
        present = own.present_BN
        if own.present_BN is not None and other.present_BN is not None:
            present = own.present_BN | (other.present_BN & (share_B < 1)[:, None])
        return Clips(tokens, present, frames, own.text_BL), share_B

    def masks(self, shares_B: Seconds, height: int, width: int) -> Tensor:
        """Return which pixels [B, H, W] are the first clip's; the same at all times.

        Of the cells of the picture the nearest number to the wanted share are chosen at random.
        """
        rows, columns = (max(1, round(side / self.cell_pixels)) for side in (height, width))
        cells = rows * columns
        chosen = np.zeros((len(shares_B), cells), bool)
        for clip, share in enumerate(shares_B):
            rng = np.random.default_rng(np.float64(share).view(np.uint64))
            chosen[clip, rng.permutation(cells)[: round(share * cells)]] = True
        row_H, column_W = (
            np.arange(side) * count // side for side, count in ((height, rows), (width, columns))
        )
        return torch.from_numpy(chosen.reshape(-1, rows, columns)[:, row_H][:, :, column_W])


@dataclass(frozen=True, slots=True)
class Semi:
    """What a step teaches: the given labels, and the teacher's where it is sure (`Run.teach`).

    Parameters
    ----------
    threshold
        Least probability in (0, 1] of the teacher's class; a clip without a label of which it is
        less sure adds nothing.
    weight
        Of a clip without a label, against one with, at least 0.
    mix
        Mixes pairs in which both have a target; how many and how much is `Recipe.mixup`'s.
    """

    threshold: float = 0.95
    weight: float = 1.0
    mix: TubeMix = TubeMix()

    def __call__(self, answer: Callable[[Clips], Tensor], paired: Loaded) -> Loaded:
        """Return mixed clips and their targets [B, K].

        Parameters
        ----------
        answer
            Probabilities of clips by the averaged weights.
        paired
            A micro-batch, its clips followed by their partners, and their targets [2 B, K], zeros
            where there is no label.
        """
        micro, clips, target = paired
        count = len(micro.rows_B)
        own, other = clips.where(slice(0, count)), clips.where(slice(count, None))
        alone = bool((micro.shares_B == 1).all())  # partners need no answer where none is mixed
        target_QK = target[:count] if alone else target
        answer_QK = answer(own if alone else clips)
        counts_Q = torch.from_numpy(np.tile(micro.counts_B, len(target_QK) // count))
        target_QK = target_QK + self.targets(answer_QK, target_QK, counts_Q)
        if alone:
            return micro, own, target_QK
        own_BK, other_BK = target_QK[:count], target_QK[count:]
        both_B = (own_BK.any(dim=1) & other_BK.any(dim=1)).numpy()
        mixed, share_B = self.mix(own, other, np.where(both_B, micro.shares_B, 1.0))
        share_B1 = share_B[:, None]
        return micro, mixed, share_B1 * own_BK + (1 - share_B1) * other_BK

    def targets(self, answer_BK: Tensor, target_BK: Tensor, counts_B: Tensor) -> Tensor:
        """Return the teacher's targets [B, K] of clips that count and have none; else zeros."""
        confidence_B, class_B = answer_BK.max(dim=1)
        taught_B = (confidence_B >= self.threshold) & ~target_BK.any(dim=1) & (counts_B > 0)
        hard_BK = nn.functional.one_hot(class_B, answer_BK.shape[1]).float()
        return self.weight * taught_B[:, None] * hard_BK


def with_labels_at_least(labels_M: Indices, rows_M: Indices, share: float = 0.5) -> Indices:
    """Return rows in which those with a label are repeated until they have a share.

    A step then sees enough labels for its gradient to be worth a step, few as they are.

    Parameters
    ----------
    labels_M
        Of all clips of a set; below 0 without a label.
    rows_M
        Those to learn from.
    share
        In [0, 1) of the rows that are returned; whole repeats may give a little less or more.

    Raises
    ------
    NotEnoughDataError
        If none of the rows has a label.
    """
    known = rows_M[labels_M[rows_M] >= 0]
    if not len(known):
        raise NotEnoughDataError(
            f"none of {len(rows_M)} clips has a label; label some of each class, or learn without "
            "labels first (vidfit.training.pretrain)"
        )
    unknown = rows_M[labels_M[rows_M] < 0]
    repeats = max(1, round(share / (1 - share) * len(unknown) / len(known)))
    return np.concatenate([np.tile(known, repeats), unknown])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what was learned with unlabelled clips is kept, and why."""

    kept: bool
    reason: str


def judge(gain: Estimate, rule: Rule = "gain") -> Verdict:
    """Say whether learning from unlabelled clips as well is kept over the labels alone.

    Parameters
    ----------
    gain
        Of accuracy on recordings not learned from, both ways on the same clips, with its interval
        over recordings (``vidfit.metrics.mean_interval`` of differences of hits). NaN ends, as of
        one recording, prove nothing.
    rule
        ``"gain"`` keeps it where the interval lies above zero; ``"no-harm"`` rejects it only
        where the interval lies below zero.
    """
    told = f"{gain.value * 100:+.1f} points [{gain.low * 100:+.1f}, {gain.high * 100:+.1f}]"
    if gain.high < 0:
        return Verdict(False, f"unlabelled clips do harm: {told}")
    if gain.low > 0:
        return Verdict(True, f"unlabelled clips help: {told}")
    return Verdict(rule == "no-harm", f"unlabelled clips neither help nor harm for sure: {told}")
