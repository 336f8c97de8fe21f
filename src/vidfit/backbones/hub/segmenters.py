"""Segmenters of Hugging Face: what they say of each place, and what their encoder saw there.

SegFormer (Xie et al., NeurIPS 2021) says classes of places. Mask2Former (Cheng et al., CVPR 2022)
and EoMT (Kerssies et al., CVPR 2025) have queries, each of which says a class and where it is: how
much a class is at a place is the sum over queries of one times the other, as their authors have it.

Pictures are scaled whole to the size of the processor, or to a square of its shorter side: what
was trained on pictures of their own shape sees them squeezed.

Shape letters: B pictures, C classes, N queries, E numbers of a place, H and W places of a map, R
rows and Q columns of blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones.encoder import freeze
from vidfit.backbones.hub.families import SEGMENTERS
from vidfit.backbones.hub.heads import (
    HeadBackbone,
    PictureModel,
    class_names,
    read_head,
    spec_of_head,
)
from vidfit.backbones.hub.reading import model_type, preprocessing_of, read_processor
from vidfit.backbones.places import place_tokens
from vidfit.contracts import BackboneSpec, Preprocessing
from vidfit.documents import to_json
from vidfit.errors import BackboneError
from vidfit.features.places import BLOCK_PIXELS, FINE_SIDE

FAMILY = "hf-segmenter"

MOST_CLASSES = 255
"""That a mask has numbers for."""

_MOST_BLOCKS = 13
"""Along a side: of all of them there may be `vidfit.features.places.MOST_BLOCKS`."""

_LEAST = 1e-5
"""Share of a class whose logarithm is taken; a smaller one is as this."""

Said = tuple[Tensor, Tensor]
"""Shares of classes [B, C, H, W], each place's sum 1, and what an encoder saw [B, E, H, W]."""


class SegmenterNetwork(PictureModel):
    """A segmenter as uint8 [B, 1, H, W, C] -> tokens of places [B, R * Q, D].

    A fine cell has the log-probabilities of classes, a coarse one what the encoder saw.
    """

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, kind: str) -> None:
        super().__init__(model, preprocessing)
        self.says = SAYS[kind]
        sides = preprocessing.height_pixels, preprocessing.width_pixels
        self.blocks = tuple(min(-(-side // BLOCK_PIXELS), _MOST_BLOCKS) for side in sides)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return the tokens."""
        share_BCHW, seen_BEHW = self.says(self.model, self.pixels(frames_BTHWC))
        rows, columns = self.blocks
        fine_BCYX = in_cells(share_BCHW, FINE_SIDE * rows, FINE_SIDE * columns)
        coarse_BERQ = in_cells(seen_BEHW, rows, columns)
        return place_tokens(fine_BCYX.clamp(min=_LEAST).log(), coarse_BERQ=coarse_BERQ)


def in_cells(values_BCHW: Tensor, rows: int, columns: int) -> Tensor:
    """Return the means over the cells of a grid; a place that two of them share counts in both."""
    down_YH = _overlaps(rows, values_BCHW.shape[2]).to(values_BCHW)
    over_XW = _overlaps(columns, values_BCHW.shape[3]).to(values_BCHW)
    return down_YH @ values_BCHW @ over_XW.T


def _overlaps(cells: int, places: int) -> Tensor:
    """Return which share of each cell along a side is of each place, [cells, places]."""
    cell_Y1 = torch.arange(cells, dtype=torch.float64)[:, None] / cells
    place_H = torch.arange(places, dtype=torch.float64) / places
    ends = torch.minimum(cell_Y1 + 1 / cells, place_H + 1 / places)
    return (ends - torch.maximum(cell_Y1, place_H)).clamp(min=0) * cells


def _segformer(model: Any, pixels_BCHW: Tensor) -> Said:  # noqa: ANN401
    output = model(pixel_values=pixels_BCHW, output_hidden_states=True)
    return output.logits.softmax(dim=1), output.hidden_states[-1]


def _mask2former(model: Any, pixels_BCHW: Tensor) -> Said:  # noqa: ANN401
    output = model(pixel_values=pixels_BCHW, output_hidden_states=True)
    return _of_queries(output), output.encoder_last_hidden_state


def _eomt(model: Any, pixels_BCHW: Tensor) -> Said:  # noqa: ANN401
    output = model(pixel_values=pixels_BCHW)
    rows, columns = model.grid_size
    states_BNE = output.last_hidden_state[:, -rows * columns :]
    seen_BEHW = states_BNE.transpose(1, 2).unflatten(2, (rows, columns))
    return _of_queries(output), seen_BEHW


def _of_queries(output: Any) -> Tensor:  # noqa: ANN401
    """Return shares of classes; what no query claims is evenly of all."""
    class_BNC = output.class_queries_logits.softmax(dim=2)[:, :, :-1]
    mask_BNHW = output.masks_queries_logits.sigmoid()
    claim_BCHW = torch.einsum("bnc,bnhw->bchw", class_BNC, mask_BNHW) + _LEAST
    return functional.normalize(claim_BCHW, p=1.0, dim=1)


SAYS: dict[str, Callable[[Any, Tensor], Said]] = {
    "eomt": _eomt,
    "mask2former": _mask2former,
    "segformer": _segformer,
}
"""``model_type`` -> function of a model and of what it is given."""


@dataclass(frozen=True)
class HfSegmenter(HeadBackbone):
    """The network, and the names of its classes."""

    cell_classes: tuple[str, ...] = ()
    taken_for: str = ""


def load(source: str, directory: Path, settings: dict[str, Any]) -> HfSegmenter:
    """Load a segmenter of a directory; see `vidfit.backbones.hub.models.load`.

    Raises
    ------
    BackboneError
        When its files are damaged, incomplete, name no classes or too many.
    """
    kind = model_type(directory)
    model = read_head(directory, SEGMENTERS[kind])
    names = class_names(model)
    if len(names) > MOST_CLASSES:
        raise BackboneError(
            f"{directory} names {len(names)} classes; a mask has numbers for {MOST_CLASSES}"
        )
    # A part that is cut out would lose what lies outside of it.
    preprocessing = replace(preprocessing_of(settings), short_side_pixels=None)
    if kind == "eomt":  # its positions are learned for one size
        side = model.config.image_size
        height, width = (side, side) if isinstance(side, int) else side
        preprocessing = replace(preprocessing, height_pixels=height, width_pixels=width)
    network = SegmenterNetwork(model, preprocessing, kind)
    freeze(network)
    spec = spec_of_head(source, directory, network, FAMILY)
    return HfSegmenter(spec, network, processor=to_json(settings), cell_classes=names)


def restore(directory: Path, spec: BackboneSpec) -> HfSegmenter:
    """Rebuild a saved segmenter."""
    found = load(spec.source, directory, read_processor(directory))
    if found.spec.dim != spec.dim or found.spec.preprocessing != spec.preprocessing:
        raise BackboneError(
            f"{directory} holds a segmenter of other facts than its spec: copy the model again"
        )
    return replace(found, spec=replace(spec, revision=found.spec.revision))
