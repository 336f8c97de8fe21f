"""A linear probe of windows, and the chain that smooths what it says.

Shape letters: M windows, D numbers of a vector, K answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats, Indices
from vidfit.errors import ModelError
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.learner import lowest_loss
from vidfit.fusion.linear import PENALTIES, Linear, answers_by_penalty, cross_fit
from vidfit.fusion.probes import with_classes
from vidfit.labels import UNSEEN, Kind, class_shares
from vidfit.metrics.segments import SegmentF1
from vidfit.tasks.localise.chain import CHAINS, MarkovChain, smoothed
from vidfit.tasks.localise.moments import MOMENTS, numbers_of

_JUDGE = SegmentF1("f1@50", 0.5)

_CHAIN, _SHARES = "chain_2", "log_share_K"


@dataclass(frozen=True)
class Chained:
    """A probe, the shares of the classes that it learned, and a chain."""

    probe: Linear
    log_share_K: Floats
    chain: MarkovChain

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return the answers [M, K] of the probe, each window by itself."""
        return self.probe.log_probabilities(blocks)

    def in_time(
        self, answers_MK: Floats, video_M: Indices, start_M: NDArray[np.floating]
    ) -> Floats:
        """Return answers in the light of the windows before and after, videos apart."""
        found_1MK = smoothed(answers_MK, self.log_share_K, (self.chain,), video_M, start_M)
        result: Floats = found_1MK[0]
        return result

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return the mean squared standard score [M]."""
        return self.probe.novelty(blocks)

    def state(self) -> dict[str, Floats]:
        """Return the arrays that `ChainedProbe.restore` needs."""
        chain_2 = np.array([self.chain.stay, self.chain.evidence], np.float32)
        return {**self.probe.state(), _SHARES: self.log_share_K, _CHAIN: chain_2}


@dataclass(frozen=True)
class ChainedProbe:
    """Settings are penalties and chains."""

    kind: Kind = MOMENTS
    head: str = "chained"

    def fit(
        self,
        vectors_MD: Floats,
        truth: Any,  # noqa: ANN401
        folds_M: Indices,
    ) -> tuple[Chained, Floats]:
        """Fit with the penalty of the lowest loss, and the chain of the best segments."""
        tried = self.tried(vectors_MD, truth, folds_M)
        best = self.best(tried, truth)
        penalty, chain = divmod(best, len(CHAINS))
        columns = self.kind.columns(truth)
        class_M = numbers_of(truth)
        probe, _ = cross_fit([vectors_MD], class_M, folds_M, (PENALTIES[penalty],))
        log_share_K: Floats = class_shares(class_M, columns, 1)[0]
        return Chained(with_classes(probe, columns), log_share_K, CHAINS[chain]), tried[best]

    def best(self, tried: Sequence[Floats], truth: Any) -> int:  # noqa: ANN401
        """Return the penalty of the lowest loss of windows by themselves, then a chain.

        That of the highest F1 of segments: the loss of windows that are alike says little of where
        a segment begins and ends.
        """
        first = lowest_loss(tried[:: len(CHAINS)], truth, self.kind) * len(CHAINS)
        of_penalty = tried[first : first + len(CHAINS)]
        sums = np.stack([_JUDGE.sums(truth, answers_MK) for answers_MK in of_penalty])
        return first + int(np.nan_to_num(_JUDGE.figure(sums)).argmax())

    def restore(self, state: Mapping[str, Floats], widths: Sequence[int], classes: int) -> Chained:
        """Check the arrays and rebuild the head."""
        if {_CHAIN, _SHARES} - state.keys():
            raise ModelError(f"the head's arrays {_CHAIN!r} or {_SHARES!r} are missing")
        chain_2, log_share_K = state[_CHAIN], state[_SHARES]
        probe = {n: array for n, array in state.items() if n not in (_CHAIN, _SHARES)}
        check_arrays("linear", probe, widths, classes)
        shapes = chain_2.shape == (2,) and log_share_K.shape == (classes,)
        if not shapes or not np.isfinite([*chain_2, *log_share_K]).all():
            raise ModelError("the head's chain is of another shape, or holds NaN or infinity")
        if not (log_share_K >= -30).all() or not (log_share_K <= 0).all():
            raise ModelError("the head's shares of classes are no logarithms of shares")
        if not (0 <= chain_2[0] < 1 and 0 < chain_2[1] <= 1):
            raise ModelError(f"the head's chain is {chain_2.tolist()}; valid are [0, 1) and (0, 1]")
        return Chained(Linear.of(probe), log_share_K, MarkovChain(*map(float, chain_2)))

    def tried(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> list[Floats]:  # noqa: ANN401
        """Return smoothed answers for each penalty, and for each by every chain."""
        columns = self.kind.columns(truth)
        class_M = numbers_of(truth)
        found: list[Floats] = []
        for raw_MK in answers_by_penalty([vectors_MD], class_M, folds_M):
            wide_MK = np.full((len(class_M), columns), UNSEEN, np.float32)
            wide_MK[:, : raw_MK.shape[1]] = raw_MK
            by_chain = [np.empty_like(wide_MK) for _ in CHAINS]
            for fold in np.unique(folds_M):
                asked_M = folds_M == fold
                log_share_K = class_shares(class_M[~asked_M], columns, 1)[0]
                order = self.kind.order(truth[asked_M])
                of = smoothed(wide_MK[asked_M], log_share_K, CHAINS, *order)
                for all_MK, one_MK in zip(by_chain, of, strict=True):
                    all_MK[asked_M] = one_MK
            found += by_chain
        return found
