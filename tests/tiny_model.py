"""Model directories around a network so small that an export takes a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.runtime.conftest import Trunk, build

from vidfit import backbones as zoo
from vidfit.backbones import weights
from vidfit.backbones.encoder import FrameBackbone, FrameEncoder, freeze
from vidfit.backbones.graph import graph_backbone
from vidfit.contracts import Backbone, BackboneSpec
from vidfit.fitted import FittedFusion
from vidfit.fusion.linear import Linear
from vidfit.model import Model, save_model

FAMILY = "tests.tiny_model:restore"
"""Put it in ``RESTORE["tiny"]``."""

CLASSES = ("go", "størt | <b>", "wait")
STATISTICS = 3 * 16
CARD = {
    "task": "classification",
    "data": "clips|of_mine",
    "clips": 12,
    "recordings": 6,
    "protocol": "nested cross-validation",
    "accuracy": {"value": 0.75, "low": 0.6, "high": 0.9},
    "majority": {"value": 0.4, "low": 0.3, "high": 0.5},
    "calibration_error": 0.03,
    "limits": "Scores hold for clips like these.",
}


def network(name: str = "tiny") -> Backbone:
    """Return the torch network: 3 views of 2 frames, 16 features."""
    tiny = build()
    return replace(tiny, spec=replace(tiny.spec, name=name))


def restore(directory: Path, spec: BackboneSpec) -> FrameBackbone:
    encoder = FrameEncoder(Trunk(), spec.preprocessing)
    encoder.load_state_dict(weights.read(directory / weights.FILE_NAME))
    return FrameBackbone(spec, freeze(encoder))


def graph(file: Path, name: str = "tiny-int8") -> Backbone:
    """Return an exported file as a member, as compression leaves it."""
    return graph_backbone(build().spec, file, name, "onnx")


def linear(members: int = 1, dim: int = STATISTICS) -> Linear:
    """Return a head that is not sure of its answers: those of sure ones are alike."""
    rng = np.random.default_rng(1)
    width = members * dim
    return Linear(
        rng.normal(size=width).astype(np.float32),
        rng.uniform(0.05, 0.2, width).astype(np.float32),
        rng.normal(size=(3, width)).astype(np.float32),
        rng.normal(size=3).astype(np.float32),
    )


def write_model(
    directory: Path, members: Sequence[Backbone], head: FittedFusion, kind: str = "linear"
) -> Path:
    """Write a model of these members and this head."""
    specs = [member.spec for member in members]
    facts = [
        {
            "name": spec.name,
            "licence": spec.licence,
            "commercial_use": spec.commercial_use,
            "source": spec.source,
            "parameters": spec.parameters,
            "gmacs_per_view": spec.gmacs_per_view,
        }
        for spec in specs
    ]
    model = Model(
        classes=CLASSES,
        members=tuple(spec.name for spec in specs),
        head=kind,
        arrays=head.state(),
        temperature=1.7,
        unknown_probability=0.0,
        unknown_novelty=np.inf,
        window_seconds=1.6,
        longest_seconds=1.6,
        card={**CARD, "members": facts},
    )
    save_model(model, directory, lambda i, folder: zoo.save(members[i], folder))
    return directory
