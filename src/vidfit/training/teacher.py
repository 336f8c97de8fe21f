"""Learning from clips without a label: the average of the weights teaches where it is sure.

Sohn et al. (2020), FixMatch, equations 3 and 4, with the teacher of Tarvainen and Valpola (2017):
the moving average of the weights answers a clip under a weak change. Where it gives a class at
least the threshold, that class is the label of the clip under a strong change, which the weights
learn. The loss of a step is the mean over its clips with a label and the mean over those without,
the clips of which the teacher is not sure included as zeros; both weigh alike.

Changes keep what a clip shows: pictures are not mirrored or turned and time is not reversed, as
left and right, or open and close, may be the classes. All frames of a clip are changed alike.
Random numbers are torch's: the loop seeds them for each micro-batch.

Shape letters: B clips of a micro-batch, V views, T frames, H height, W width, C colours, N tokens,
D features of a token, L text tokens, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from vidfit.errors import VidfitError
from vidfit.networks.clips import Clips
from vidfit.networks.vocabulary import PADDING, UNKNOWN
from vidfit.plans import Recipe

WEAK_MOVE, STRONG_MOVE = 1 / 32, 1 / 8
"""Most of a side by which a picture is moved, up or down and to the left or right."""

CONTRAST, BRIGHTNESS = 0.5, 50.0
"""Most change of contrast, as a share, and of brightness, in grey levels of 255."""

HIDDEN_SIDE = 0.5
"""Side of the square that is hidden at all times, as a share of the picture's."""

NOISE, HIDDEN_TOKENS, HIDDEN_WORDS = 0.5, 0.25, 0.15
"""Deviation of the noise on tokens (theirs is 1); shares of tokens and of words that are hidden."""


def check_teacher(recipe: Recipe, unlabelled: int) -> None:
    """Refuse a recipe that has no teacher, or nobody to teach.

    Raises
    ------
    VidfitError
        Says what is missing.
    """
    if not recipe.unlabelled_ratio:
        return
    if not unlabelled:
        raise VidfitError(
            f"unlabelled_ratio is {recipe.unlabelled_ratio}, and there are no clips without a "
            "label; give some, or 0"
        )
    if not recipe.ema or recipe.mixup:
        raise VidfitError(
            f"ema is {recipe.ema:g} and mixup {recipe.mixup:g}; a teacher is the moving average of "
            "the weights, so that ema is above 0, and clips that it teaches are not mixed"
        )


def sure_targets(answer_BK: Tensor, threshold: float) -> Tensor:
    """Return the class of each answer as a target [B, K]; zeros where it is not sure.

    Parameters
    ----------
    answer_BK
        Probabilities.
    threshold
        Least probability of a class that is taken.
    """
    confidence_B, class_B = answer_BK.max(dim=1)
    hard_BK = nn.functional.one_hot(class_B, answer_BK.shape[1]).float()
    return hard_BK * (confidence_B >= threshold)[:, None]


def weak(clips: Clips) -> Clips:
    """Return clips as the teacher sees them: pictures a little moved, all else as it is."""
    if clips.frames_BVTHWC is None:
        return clips
    return replace(clips, frames_BVTHWC=_each(clips.frames_BVTHWC, lambda f: _moved(f, WEAK_MOVE)))


def strong(clips: Clips) -> Clips:
    """Return clips as they are learned.

    Pictures are moved and lit in another way, and a square of them is hidden; tokens have noise,
    and some are hidden; some words are not known.
    """
    changed = clips
    if clips.frames_BVTHWC is not None:
        changed = replace(changed, frames_BVTHWC=_each(clips.frames_BVTHWC, _spoilt))
    if clips.tokens_BND is not None:
        changed = replace(changed, tokens_BND=_noisy(clips.tokens_BND))
    if clips.text_BL is not None:
        hidden_BL = (torch.rand(clips.text_BL.shape) < HIDDEN_WORDS) & (clips.text_BL != PADDING)
        changed = replace(changed, text_BL=clips.text_BL.masked_fill(hidden_BL, UNKNOWN))
    return changed


def _each(frames_BVTHWC: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    return torch.stack([change(frames_VTHWC) for frames_VTHWC in frames_BVTHWC])


def _spoilt(frames_VTHWC: Tensor) -> Tensor:
    """Move a clip, light it in another way, and hide a square of it."""
    moved_VTHWC = _moved(frames_VTHWC, STRONG_MOVE)
    contrast, brightness = (2 * torch.rand(2) - 1).tolist()
    lit_VTHWC = (moved_VTHWC.float() - 127.5) * (1 + CONTRAST * contrast)
    lit_VTHWC += 127.5 + BRIGHTNESS * brightness
    spoilt_VTHWC: Tensor = lit_VTHWC.clamp(0, 255).round().byte()
    height, width = frames_VTHWC.shape[2:4]
    high, wide = round(HIDDEN_SIDE * height), round(HIDDEN_SIDE * width)
    top, left = _random(0, height - high), _random(0, width - wide)
    spoilt_VTHWC[:, :, top : top + high, left : left + wide] = 127
    return spoilt_VTHWC


def _moved(frames_VTHWC: Tensor, share: float) -> Tensor:
    """Move the pictures of a clip by up to a share of their sides; edges are repeated."""
    places = []
    for side in frames_VTHWC.shape[2:4]:
        most = round(share * side)
        places.append((torch.arange(side) - _random(-most, most)).clamp(0, side - 1))
    return frames_VTHWC[:, :, places[0]][:, :, :, places[1]]


def _random(least: int, most: int) -> int:
    return int(torch.randint(least, most + 1, ()))


def _noisy(tokens_BND: Tensor) -> Tensor:
    hidden_BN1 = (torch.rand(tokens_BND.shape[:2]) < HIDDEN_TOKENS)[:, :, None]
    noisy_BND = tokens_BND + NOISE * torch.randn(tokens_BND.shape)
    return torch.where(hidden_BN1, 0.0, noisy_BND)
