"""An encoder that sees the same frames in a random order: the control for motion.

What it loses against the same encoder with ordered frames is what the order of frames tells
(Sevilla-Lara et al. 2021, "Only time can tell: discovering temporal data for temporal
modeling").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import Backbone, BackboneSpec, Floats, Frames

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Shuffled:
    """Wraps an encoder; the frames of up to eight views, as they come, change places."""

    encoder: Backbone

    @property
    def spec(self) -> BackboneSpec:
        """The facts of the encoder, under another name and revision."""
        spec = self.encoder.spec
        return replace(
            spec, name=f"{spec.name}, frames shuffled", revision=f"{spec.revision} shuffled"
        )

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of the same frames in another order."""
        views, length = frames_BTHWC.shape[:2]
        order = np.random.default_rng(0).permutation(views * length)
        frames_FHWC = frames_BTHWC.reshape(-1, *frames_BTHWC.shape[2:])
        return self.encoder.forward(frames_FHWC[order].reshape(frames_BTHWC.shape))

    def save(self, directory: Path) -> None:
        """Write what the encoder writes."""
        self.encoder.save(directory)
