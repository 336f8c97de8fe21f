"""What a network looks at: the real tokens or frames of a batch, its padding put last.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens in time
order, D features of a token, E any width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vidfit.errors import BackboneError
from vidfit.networks.clips import Clips


def seen_tokens(clips: Clips) -> tuple[Tensor, Tensor]:
    """Return tokens in time order, with zeros for padding at the end, and which are real.

    Returns
    -------
    tuple
        Tokens [B, N, D], and [B, N] bool.

    Raises
    ------
    BackboneError
        If the clips have no tokens.
    """
    tokens_BND = clips.tokens_BND
    if tokens_BND is None:
        raise BackboneError(
            "The network looks at tokens, and received clips without; give Clips their "
            "tokens_BND, or put the network behind an encoder (vidfit.networks.tuned.Tuned)."
        )
    if clips.present_BN is None:
        return tokens_BND, torch.ones_like(tokens_BND[..., 0], dtype=torch.bool)
    order_BN, present_BN = _padding_last(clips.present_BN)
    tokens_BND = tokens_BND.gather(1, order_BN[..., None].expand_as(tokens_BND))
    # Not multiplied by zero: padding may be infinite or no number.
    return tokens_BND.masked_fill(~present_BN[..., None], 0.0), present_BN


def seen_frames(clips: Clips) -> tuple[Tensor, Tensor]:
    """Return the frames of all views in time order, and which are real.

    ``present_BN`` is of frames here, N = V * T. What is padding repeats the last real frame, so
    that a network that sees several frames at once can fill up its last step.

    Returns
    -------
    tuple
        Frames [B, V * T, H, W, C] uint8, and [B, V * T] bool.

    Raises
    ------
    BackboneError
        If the clips have no frames.
    """
    if clips.frames_BVTHWC is None:
        raise BackboneError(
            "The network looks at frames, and received clips without; give Clips their "
            "frames_BVTHWC, or train a network over tokens."
        )
    frames_BTHWC = clips.frames_BVTHWC.flatten(1, 2)
    shape = frames_BTHWC.shape
    if clips.present_BN is None:
        everything_BT = torch.ones(shape[:2], dtype=torch.bool, device=frames_BTHWC.device)
        return frames_BTHWC, everything_BT
    order_BT, present_BT = _padding_last(clips.present_BN)
    last_B1 = (present_BT.sum(1, keepdim=True) - 1).clamp(min=0)
    place_BT = torch.arange(shape[1], device=order_BT.device).minimum(last_B1)
    index_BT = order_BT.gather(1, place_BT)
    rows_B1 = torch.arange(shape[0], device=order_BT.device)[:, None]
    return frames_BTHWC[rows_B1, index_BT], present_BT


def mean_of_real(x_BNE: Tensor, present_BN: Tensor) -> Tensor:
    """Return the mean [B, E] over the real tokens; zeros where there is none."""
    weight_BN1 = present_BN[..., None].to(x_BNE.dtype)
    mean_BE: Tensor = (x_BNE * weight_BN1).sum(1) / weight_BN1.sum(1).clamp(min=1.0)
    return mean_BE


def last_of_real(x_BNE: Tensor, present_BN: Tensor) -> Tensor:
    """Return the last real token [B, E]; the first where there is none."""
    last_B = (present_BN.sum(1) - 1).clamp(min=0)
    return x_BNE.gather(1, last_B[:, None, None].expand(-1, 1, x_BNE.shape[2]))[:, 0]


def _padding_last(present_BN: Tensor) -> tuple[Tensor, Tensor]:
    """Return an order [B, N] that puts what is real first, and what is real in that order."""
    order_BN = (~present_BN).to(torch.uint8).argsort(dim=1, stable=True)
    return order_BN, present_BN.gather(1, order_BN)
