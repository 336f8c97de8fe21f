"""A model of transformers as a network of frames.

Shape letters: B views, T frames, H height, W width, C channels, P spatial places, N tokens in
time order, D features.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vidfit.backbones.hub.families import Family
from vidfit.contracts import Preprocessing


class Encoder(nn.Module):
    """A model of transformers as uint8 [B, T, H, W, C] -> tokens [B, N, D]."""

    scale_C: Tensor
    shift_C: Tensor

    def __init__(self, model: nn.Module, family: Family, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.model = model
        self.family = family
        config: Any = model.config
        self.steps = family.steps(config)
        if family.layout == "patches":
            side = config.patch_size
            grid = preprocessing.height_pixels // side, preprocessing.width_pixels // side
            _fix_grid(model, grid)
        std_C = torch.tensor(preprocessing.std)
        # Not persistent: the normalisation belongs to the spec, not to the weights.
        self.register_buffer("scale_C", 1 / std_C, persistent=False)
        shift_C = -torch.tensor(preprocessing.mean) / std_C
        self.register_buffer("shift_C", shift_C, persistent=False)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return tokens: one a frame, or one a time step of a video network."""
        frame_count = frames_BTHWC.shape[1]
        pixels_BTHWC = frames_BTHWC.float() * self.scale_C + self.shift_C
        pixels_BTCHW = pixels_BTHWC.permute(0, 1, 4, 2, 3)
        if self.family.layout == "views":
            return self._call(**{self.family.input_name: pixels_BTCHW})
        images_NCHW = pixels_BTCHW.flatten(0, 1)
        if self.family.layout == "patches":
            features_ND = self._call(**self._patches(images_NCHW))
        else:
            features_ND = self._call(**{self.family.input_name: images_NCHW})
        return features_ND.reshape(-1, frame_count, features_ND.shape[-1])

    def _call(self, **inputs: Tensor | None) -> Tensor:
        # V-JEPA 2 would else run its predictor, which features do not need.
        options = {"skip_predictor": True} if self.family.model == "VJEPA2Model" else {}
        output = self.model(**inputs, **options)
        tokens = output.pooler_output if self.family.pooled else output.last_hidden_state
        return self.family.pool(tokens, self.steps)

    def _patches(self, images_NCHW: Tensor) -> dict[str, Tensor | None]:
        """Cut images as Siglip2ImageProcessor does: rows of patches, channels innermost."""
        config: Any = self.model.config
        side = config.patch_size
        count, _, height, width = images_NCHW.shape
        rows, columns = height // side, width // side
        grid = images_NCHW.reshape(count, -1, rows, side, columns, side)
        patches = grid.permute(0, 2, 4, 3, 5, 1).reshape(count, rows * columns, -1)
        return {
            "pixel_values": patches,
            "pixel_attention_mask": None,
            "spatial_shapes": None,
        }


def _fix_grid(model: nn.Module, grid: tuple[int, int]) -> None:
    """Scale SigLIP 2's positions once for all images, as these have one size.

    The model does it image by image in a loop, which ties an export to one batch size.
    """
    embeddings: Any = model.embeddings
    published = type(embeddings).resize_positional_embeddings

    def resize(positions_HWD: Tensor, spatial_shapes: None, max_length: int) -> Tensor:
        # Read as numbers, so never on the meta device.
        resized_1PD: Tensor = published(
            positions_HWD, torch.tensor([grid], device="cpu"), max_length
        )
        return resized_1PD

    embeddings.resize_positional_embeddings = resize
