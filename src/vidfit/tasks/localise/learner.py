"""How windows are learned from: a probe of each encoder, then a chain over time.

Shape letters: M windows, D numbers of a vector, K answers, S chains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.contracts import Floats, Indices
from vidfit.fusion.linear import Linear, cross_fit_span, parts_of, tried_out_of_fold
from vidfit.fusion.probes import with_classes
from vidfit.fusion.span import Span
from vidfit.labels import UNSEEN, Kind, class_shares
from vidfit.metrics.segments import END, START, SegmentF1
from vidfit.tasks.localise import head
from vidfit.tasks.localise.chain import MarkovChain, chains_of, smoothed
from vidfit.tasks.localise.head import Chained, pooled
from vidfit.tasks.localise.moments import MOMENTS, numbers_of

_JUDGE = SegmentF1("f1@50", 0.5)


@dataclass(frozen=True)
class ChainedProbe:
    """Settings are penalties and chains.

    Parameters
    ----------
    smooths
        Whether chains are tried.
    """

    kind: Kind = MOMENTS
    head: str = "chained"
    smooths: bool = True

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Chained, Floats]:
        """Fit with the penalty of the lowest loss, and the best chain."""
        return self.together([vectors_MD], truth, folds_M)

    def together(
        self,
        blocks: Sequence[Floats],
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Chained, Floats]:
        """Fit on the vectors of several encoders, whose answers are averaged before the chain.

        The chain is that of the highest F1 of segments: the loss of windows that are alike says
        little of where a segment begins and ends.
        """
        columns = self.kind.columns(truth)
        members, answers = zip(*(self._member(x, truth, folds_M) for x in blocks), strict=True)
        chains = self._chains(truth)
        tried = self._smoothed(pooled(answers), truth, folds_M, chains)
        sums = np.stack([_JUDGE.sums(truth, answers_MK) for answers_MK in tried])
        first = int(np.nan_to_num(_JUDGE.figure(sums)).argmax())
        log_share_K: Floats = class_shares(numbers_of(truth), columns, 1)[0]
        return Chained(members, log_share_K, chains[first]), tried[first]

    def _member(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> tuple[Linear, Floats]:  # noqa: ANN401
        """Return the probe of an encoder, and out-of-fold answers [M, K] without a chain."""
        columns, class_M = self.kind.columns(truth), numbers_of(truth)
        span = Span.of([vectors_MD])
        probe, raw_MK = cross_fit_span(span, class_M, parts_of(span, class_M, folds_M))
        return with_classes(probe, columns), _wide(raw_MK, columns)

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return smoothed answers for each penalty, by every chain."""
        chains, class_M = self._chains(truth), numbers_of(truth)
        parts = parts_of(Span.of([vectors_MD]), class_M, folds_M)
        return [
            answers_MK
            for raw_MK in tried_out_of_fold(parts, class_M)
            for answers_MK in self._smoothed(raw_MK, truth, folds_M, chains)
        ]

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Chained:
        """Check the arrays and rebuild the head."""
        return head.restore(state, widths, classes)

    def _chains(self, truth: Any) -> tuple[MarkovChain, ...]:  # noqa: ANN401
        return chains_of(step_of(truth))[: None if self.smooths else 1]

    def _smoothed(
        self,
        raw_MK: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
        chains: Sequence[MarkovChain],
    ) -> Floats:
        """Return out-of-fold answers [S, M, K] by each chain, with the shares of other folds."""
        columns, class_M = self.kind.columns(truth), numbers_of(truth)
        wide_MK = _wide(raw_MK, columns)
        found_SMK = np.empty((len(chains), *wide_MK.shape), np.float32)
        for fold in np.unique(folds_M):
            asked_M = folds_M == fold
            log_share_K = class_shares(class_M[~asked_M], columns, 1)[0]
            order = self.kind.order(truth[asked_M])
            found_SMK[:, asked_M] = smoothed(wide_MK[asked_M], log_share_K, chains, *order)
        return found_SMK


def _wide(answers_MK: Floats, columns: int) -> Floats:
    """Return answers with columns for classes that no fit has seen."""
    missing = columns - answers_MK.shape[1]
    return np.pad(answers_MK, ((0, 0), (0, missing)), constant_values=UNSEEN)


def step_of(truth: Any) -> float:  # noqa: ANN401
    """Return how many seconds a window mostly lasts."""
    return float(np.median(truth[:, END] - truth[:, START]))
