"""How the vectors of one encoder are learned from: a linear probe, or what a task brings.

Shape letters: M clips, D numbers of a vector, K answers to a clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vidfit.contracts import Floats, Indices
from vidfit.fitted import FittedFusion
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.linear import Linear, answers_by_penalty, cross_fit
from vidfit.labels import ONE, Kind, mean_loss


class Learner(Protocol):
    """Fits a head to the vectors of one encoder."""

    @property
    def head(self) -> str:
        """Name of the kind of head that it fits, as a model directory has it."""

    @property
    def kind(self) -> Kind:
        """What its answers are."""

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return answers [M, K] by fits without a clip's fold, for each setting that it tries."""

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[FittedFusion, Floats]:
        """Choose a setting and fit with it.

        Returns
        -------
        tuple
            The head, fitted on all clips, and the answers [M, K] to each clip by a fit with the
            same setting that has not seen the clip's fold.
        """

    def restore(
        self, state: Mapping[str, Floats], widths: Sequence[int], classes: int
    ) -> FittedFusion:
        """Rebuild a head from its arrays, which may be anybody's.

        Raises
        ------
        ModelError
            If they are not what a head of this learner has for these widths and answers.
        """


def lowest_loss(tried: Sequence[Floats], truth: Any, kind: Kind) -> int:  # noqa: ANN401
    """Return which answers lose least."""
    lost = [mean_loss(answers_MK, truth, kind) for answers_MK in tried]
    return lost.index(min(lost))


@dataclass(frozen=True)
class LinearProbe:
    """The linear probe (`vidfit.fusion.linear`); its settings are penalties."""

    kind: Kind = ONE
    head: str = "linear"

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return answers for each penalty that is tried."""
        return answers_by_penalty([vectors_MD], truth, folds_M, kind=self.kind)

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Linear, Floats]:
        """Fit with the penalty of the lowest loss."""
        return cross_fit([vectors_MD], truth, folds_M, kind=self.kind)

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Linear:
        """Check the arrays and rebuild the probe."""
        check_arrays("linear", state, widths, classes)
        return Linear.of(state, self.kind)
