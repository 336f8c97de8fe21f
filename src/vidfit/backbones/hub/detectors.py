"""Detectors of Hugging Face: a network of queries, each of which gives one box.

Carion et al., "End-to-end object detection with transformers" (ECCV 2020), and what followed: a
query has learned to give a box that no other gives, so that none need be left out. What a box looks
like is the query's state after the last layer.

Pictures are scaled whole to the size of the processor, or to a square of its shorter side: a
detector that was trained on pictures of their own shape sees them squeezed.

Shape letters: B pictures, T frames (1), C channels, N queries, E numbers of a query.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from vidfit.backbones.detector import BoxBackbone
from vidfit.backbones.encoder import freeze
from vidfit.backbones.hub.families import DETECTORS
from vidfit.backbones.hub.heads import (
    HeadBackbone,
    PictureModel,
    class_names,
    read_head,
    spec_of_head,
)
from vidfit.backbones.hub.reading import model_type, preprocessing_of, read_processor
from vidfit.contracts import BackboneSpec, Preprocessing
from vidfit.documents import to_json
from vidfit.errors import BackboneError

FAMILY = "hf-detector"


class BoxNetwork(PictureModel):
    """A detector as uint8 [B, 1, H, W, C] -> boxes [B, N, 4 + classes + E], one a query."""

    def __init__(self, model: nn.Module, preprocessing: Preprocessing, softmax: bool) -> None:
        super().__init__(model, preprocessing)
        self.softmax = softmax

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return boxes."""
        output = self.model(pixel_values=self.pixels(frames_BTHWC))
        logits, places = output.logits, output.pred_boxes
        scores = logits.softmax(dim=2)[:, :, :-1] if self.softmax else logits.sigmoid()
        middle, half = places[:, :, :2], places[:, :, 2:] / 2
        edges = torch.cat([middle - half, middle + half], dim=2).clamp(0.0, 1.0)
        # YOLOS has the states of patches before those of its queries.
        states = output.last_hidden_state[:, -logits.shape[1] :]
        return torch.cat([edges, scores, states], dim=2)


def load(source: str, directory: Path, settings: dict[str, Any]) -> BoxBackbone:
    """Load a detector of a directory; see `vidfit.backbones.hub.models.load`.

    Raises
    ------
    BackboneError
        When its files are damaged, incomplete, or name no classes.
    """
    found = preprocessing_of(settings)
    # A part that is cut out would lose what lies outside of it.
    preprocessing = replace(found, short_side_pixels=None)
    name, softmax = DETECTORS[model_type(directory)]
    model = read_head(directory, name)
    network = BoxNetwork(model, preprocessing, softmax)
    freeze(network)
    spec = spec_of_head(source, directory, network, FAMILY)
    queries = HeadBackbone(spec, network, processor=to_json(settings))
    return BoxBackbone(spec, queries, class_names(model), overlap=None)


def restore(directory: Path, spec: BackboneSpec) -> BoxBackbone:
    """Rebuild a saved detector."""
    found = load(spec.source, directory, read_processor(directory))
    made = replace(spec, revision=found.spec.revision)
    if found.spec.dim != spec.dim or found.spec.preprocessing != spec.preprocessing:
        raise BackboneError(
            f"{directory} holds a detector of other facts than its spec: copy the model again"
        )
    queries = replace(cast(HeadBackbone, found.candidates), spec=made)
    return replace(found, spec=made, candidates=queries)
