"""Clips as a comparison sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Truth
from vidfit.labels import Kind
from vidfit.tasks import CLASSIFY, Task


@dataclass(frozen=True)
class Rows:
    """Vectors by backbone, labels and recordings of clips: one row, or entry, a clip.

    ``labels_M`` is the truth of any kind of label (`vidfit.labels`): class numbers [M], whether
    each class is there, [M, K], or numbers [M].

    Parameters
    ----------
    vectors
        By backbone, tokens pooled over time, [M, D].
    steps
        By backbone, tokens kept apart by time (`vidfit.features.time_steps`), [M, STEPS * D];
        empty unless networks are trained on them.
    """

    vectors: Mapping[str, Floats]
    labels_M: Truth
    groups: Sequence[str]
    steps: Mapping[str, Floats] = field(default_factory=dict)
    task: Task = CLASSIFY

    @property
    def kind(self) -> Kind:
        """What labels and answers are."""
        return self.task.kind

    @property
    def classes(self) -> int:
        """How many answers a clip gets: one more than the highest class number, or one number."""
        return self.kind.columns(self.labels_M)

    def where(self, keep_M: NDArray[np.bool_]) -> Rows:
        """Return the clips for which ``keep_M`` is true."""
        kept = np.flatnonzero(keep_M)
        return Rows(
            {name: x_MD[kept] for name, x_MD in self.vectors.items()},
            self.labels_M[kept],
            [self.groups[int(i)] for i in kept],
            {name: x_MX[kept] for name, x_MX in self.steps.items()},
            self.task,
        )
