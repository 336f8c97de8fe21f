"""One transformer over frames and words.

Tubelets of the frames (Arnab et al., "ViViT", 2021) and text tokens are embedded to one width,
told apart by a learned type (Devlin et al. 2019), placed by fixed sines and cosines, and attend
to each other in joint blocks (single-stream, as Kim et al., "ViLT", 2021).

Shape letters: B clips, V views, T frames, H height, W width, C channels, P spatial places,
N = T / 2 * P tubelets in time order, X pixels of a tubelet, L text tokens, E hidden width,
K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.networks import Shape
from vidfit.networks.blocks import answer, blocks, linear, sinusoids
from vidfit.networks.clips import Clips
from vidfit.networks.seen import mean_of_real, seen_frames

TUBELET_FRAMES, PATCH_PIXELS = 2, 16
"""Frames of a tubelet, and the pixels of a side of its square (Tong et al. 2022)."""


class VideoText(nn.Module):
    """Joint transformer; the mean of the tubelets and the mean of the words are answered from.

    ``dim`` and ``tokens`` of the `Shape` do not matter: frames of any size and number are seen,
    those that do not divide into tubelets with grey borders. With a ``vocabulary`` of 0 the text
    is not looked at; clips without text, or with padding only, are answered from their frames.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.trunk = VideoTrunk(shape)
        self.words = Words(shape) if shape.vocabulary else None
        self.answer = answer(shape.width, shape)

    def forward(self, clips: Clips) -> Tensor:
        """Return logits [B, K] of uint8 frames [B, V, T, H, W, C] and text [B, L]."""
        seen = tubelets(clips)
        present_BN = seen.present_BN
        x_BNE = self.trunk.embedded(seen)
        if self.words is None or clips.text_BL is None:
            x_BNE = self.trunk(x_BNE, present_BN)
            return self._answered(mean_of_real(x_BNE, present_BN))
        seen_BL = clips.text_BL != 0
        joint_BSE = torch.cat([x_BNE, self.words(clips.text_BL)], dim=1)
        joint_BSE = self.trunk(joint_BSE, torch.cat([present_BN, seen_BL], dim=1))
        count = x_BNE.shape[1]
        video_BE = mean_of_real(joint_BSE[:, :count], present_BN)
        return self._answered(video_BE + mean_of_real(joint_BSE[:, count:], seen_BL))

    def _answered(self, pooled_BE: Tensor) -> Tensor:
        logits_BK: Tensor = self.answer(pooled_BE)
        return logits_BK


class VideoTrunk(nn.Module):
    """What sees tubelets: their embedding and type, and the blocks, pre-norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = linear(TUBELET_FRAMES * PATCH_PIXELS**2 * 3, shape.width)
        self.type_E = nn.Parameter(0.02 * torch.randn(shape.width))
        self.blocks = blocks(shape)

    def embedded(self, seen: Tubelets) -> Tensor:
        """Return tubelets as tokens [B, N, E] with their places."""
        width = self.type_E.shape[0]
        embedded_BNE: Tensor = self.embedding(seen.pixels_BNX) + seen.places_NE(width) + self.type_E
        return embedded_BNE

    def forward(self, x_BNE: Tensor, present_BN: Tensor | None) -> Tensor:
        """Return tokens [B, N, E] that have seen the real ones."""
        for block in self.blocks:
            x_BNE = block(x_BNE, present_BN)
        return x_BNE


class Words(nn.Module):
    """Embeds text tokens [B, L], with their type and their places."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.type_E = nn.Parameter(0.02 * torch.randn(shape.width))

    def forward(self, text_BL: Tensor) -> Tensor:
        """Return [B, L, E]."""
        places_LE = sinusoids(text_BL.shape[1], self.type_E.shape[0], text_BL.device)
        embedded_BLE: Tensor = self.embedding(text_BL) + places_LE + self.type_E
        return embedded_BLE


@dataclass(frozen=True, slots=True)
class Tubelets:
    """Frames cut into tubelets; time is the slowest axis of N.

    Parameters
    ----------
    pixels_BNX
        On the scale of -1 to 1; frames, rows, columns and colours of a tubelet in this order.
    present_BN
        Which are real, bool.
    steps, rows, columns
        Whose product is N.
    """

    pixels_BNX: Tensor
    present_BN: Tensor
    steps: int
    rows: int
    columns: int

    def places_NE(self, width: int) -> Tensor:  # noqa: N802
        """Return where each tubelet is: a third of the width each for time, row and column.

        Fixed, so that frames of any size have places.
        """
        device, size = self.pixels_BNX.device, (self.steps, self.rows, self.columns)
        third = width // 6 * 2
        time = sinusoids(self.steps, width - 2 * third, device)[:, None, None].expand(*size, -1)
        row = sinusoids(self.rows, third, device)[None, :, None].expand(*size, -1)
        column = sinusoids(self.columns, third, device)[None, None].expand(*size, -1)
        return torch.cat([time, row, column], dim=3).flatten(0, 2)


def tubelets(clips: Clips) -> Tubelets:
    """Cut the frames of all views, in time order, into tubelets."""
    frames_BTHWC, present_BT = seen_frames(clips)
    if frames_BTHWC.shape[1] % TUBELET_FRAMES:
        # The last frame stands still: what `seen_frames` puts after the last real one as well.
        frames_BTHWC = torch.cat([frames_BTHWC, frames_BTHWC[:, -1:]], dim=1)
        present_BT = torch.cat([present_BT, torch.zeros_like(present_BT[:, :1])], dim=1)
    below, right = (-side % PATCH_PIXELS for side in frames_BTHWC.shape[2:4])
    pixels_BTHWC = frames_BTHWC.float() / 127.5 - 1.0
    pixels_BTHWC = functional.pad(pixels_BTHWC, (0, 0, 0, right, 0, below))
    count, frames, height, width, colours = pixels_BTHWC.shape
    steps, rows, columns = frames // TUBELET_FRAMES, height // PATCH_PIXELS, width // PATCH_PIXELS
    cut = pixels_BTHWC.reshape(
        count, steps, TUBELET_FRAMES, rows, PATCH_PIXELS, columns, PATCH_PIXELS, colours
    )
    pixels_BNX = cut.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4).flatten(1, 3)
    present_BN = present_BT[:, ::TUBELET_FRAMES].repeat_interleave(rows * columns, dim=1)
    return Tubelets(pixels_BNX, present_BN, steps, rows, columns)
