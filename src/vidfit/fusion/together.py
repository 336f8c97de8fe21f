"""A learner that combines encoders itself, because what it does comes after they are combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from vidfit.contracts import Floats, Indices
from vidfit.fitted import FittedFusion


@runtime_checkable
class Together(Protocol):
    """Fits one head to the vectors of several encoders, whatever the method is called."""

    @property
    def head(self) -> str:
        """Name of the kind of head that it fits, as a model directory has it."""

    def together(
        self,
        blocks: Sequence[Floats],
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[FittedFusion, Floats]:
        """Fit as `vidfit.fusion.learner.Learner.fit` does, on vectors [M, D_i] of each encoder."""
