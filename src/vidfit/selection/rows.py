"""Clips as a comparison sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices


@dataclass(frozen=True)
class Rows:
    """Vectors by backbone, labels and recordings of clips: one row, or entry, a clip.

    Parameters
    ----------
    vectors
        By backbone, tokens pooled over time, [M, D].
    steps
        By backbone, tokens kept apart by time (`vidfit.features.time_steps`), [M, STEPS * D];
        empty unless a method asks for them.
    """

    vectors: Mapping[str, Floats]
    labels_M: Indices
    groups: Sequence[str]
    steps: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """One more than the highest class number."""
        return int(self.labels_M.max()) + 1

    def where(self, keep_M: NDArray[np.bool_]) -> Rows:
        """Return the clips for which ``keep_M`` is true."""
        kept = np.flatnonzero(keep_M)
        return Rows(
            {name: x_MD[kept] for name, x_MD in self.vectors.items()},
            self.labels_M[kept],
            [self.groups[int(i)] for i in kept],
            {name: x_MX[kept] for name, x_MX in self.steps.items()},
        )
