"""What a compressed model loses: the same heads on other tokens, on clips that neither has seen.

Shape letters: R deals of clips to folds, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Backbone, Cost, Estimate, Floats, Indices
from vidfit.errors import ModelError
from vidfit.metrics import fit_temperature, mean_interval, probabilities, share_interval
from vidfit.metrics.noninferior import PairedLoss, independent_trials, paired_loss, share_bound
from vidfit.model import Model
from vidfit.selection import Contender, Terms, fit_contenders
from vidfit.study import heads
from vidfit.study.compare import model_of
from vidfit.study.folds import FOLDS, Folds
from vidfit.study.table import Table

REPEATS = 3
"""Times that clips are dealt to folds anew: less of what a deal does by chance is left."""

_FREE = Cost(0.0, 0.0)


@dataclass(frozen=True)
class Judgement:
    """How a model answers unseen clips, beside the original.

    Parameters
    ----------
    accuracy
        Top-1, in [0, 1].
    loss
        The original's accuracy minus this one. The interval reaches at least as far as answers
        may change on other clips, though none changed on these.
    probability_loss
        The same of the calibrated probability of the true class, which moves on every clip.
    changed
        Share of answers that are not the original's.
    """

    accuracy: Estimate
    loss: Estimate
    probability_loss: PairedLoss
    changed: float


@dataclass(frozen=True)
class Refitted:
    """Heads that are fitted anew on the compressed tokens, as the original's was on its own.

    Clips of the calibration recordings are always learned from and never judged.

    Parameters
    ----------
    method
        Of `vidfit.fusion.METHODS`; empty for the probe of a single member.
    calibrated_M
        Which clips set ranges or taught a network.
    even
        Whether answers are those of even classes, as the original's.
    """

    table: Table
    method: str
    calibrated_M: NDArray[np.bool_]
    even: bool = False

    @property
    def protocol(self) -> str:
        """How clips are held out, in words."""
        return (
            f"cross-validation, {FOLDS} folds of recordings dealt {REPEATS} times: a head is "
            "fitted anew on the tokens of each model without the fold; recordings that set "
            "ranges or taught a network are never judged"
        )

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Clips of recordings that calibrated nothing."""
        return ~self.calibrated_M

    def answers(self, members: Sequence[str]) -> Floats:
        """Return probabilities of clips by heads that have not seen their recordings."""
        return np.stack([self._dealt(members, seed) for seed in range(REPEATS)])

    def model(self, members: Sequence[Backbone]) -> Model:
        """Return a model with a head that is fitted on all clips."""
        names = [backbone.spec.name for backbone in members]
        table = self.table.only(names)
        folds_M = Folds(table.classes).to_choose(table.labels_M, table.groups, 0)
        return model_of(self._fitted(table, folds_M), folds_M, table)

    def _dealt(self, members: Sequence[str], seed: int) -> Floats:
        table = self.table.only(members)
        folds = Folds(table.classes)
        answers_MK = np.full((len(table.clips), len(table.classes)), np.nan, np.float32)
        rows = np.flatnonzero(self.judged)
        fold_M = np.full(len(table.clips), -1, np.int64)
        groups = table.groups
        fold_M[rows] = folds.by_recording(table.labels_M[rows], [groups[i] for i in rows], seed)
        for fold in np.unique(fold_M[rows]):
            train, test = table.where(fold_M != fold), table.where(fold_M == fold)
            inner_M = folds.to_choose(train.labels_M, train.groups, seed)
            fitted = self._fitted(train, inner_M)
            temperature = fit_temperature(fitted.out_of_fold_MK, train.labels_M)
            found_MK = probabilities(fitted.log_probabilities(test.rows), temperature)
            answers_MK[fold_M == fold] = 0.0  # of the last classes, if a fold lacks them
            answers_MK[fold_M == fold, : found_MK.shape[1]] = found_MK
        return answers_MK

    def _fitted(self, table: Table, folds_M: Indices) -> Contender:
        methods = (self.method,) if self.method else ()
        terms = Terms(dict.fromkeys(table.vectors, _FREE), methods, even=self.even)
        # Singles come first, then fusions of few, then the one of all.
        return fit_contenders(table.rows, folds_M, terms)[-1]


def answers_of(model: Model, members: Sequence[str], table: Table) -> Floats:
    """Return a model's calibrated probabilities [M, K] of clips, by the tokens of ``members``."""
    head = heads.restore(model.head, model.arrays)
    of = table.steps if heads.in_steps(model.head) else table.vectors
    return probabilities(head.log_probabilities([of[name] for name in members]), model.temperature)


@dataclass(frozen=True)
class Unchanged:
    """A head that stays as it is, over a network that was trained with it.

    Such a network has learned from clips itself: only those of the test split are judged.
    """

    table: Table
    original: Model
    tested_M: NDArray[np.bool_]

    @property
    def protocol(self) -> str:
        """How clips are held out, in words."""
        return (
            "the trained head, unchanged, on clips of the test split, from which neither "
            "network, head nor ranges have learned"
        )

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Clips of the test split."""
        return self.tested_M

    def answers(self, members: Sequence[str]) -> Floats:
        """Return the head's probabilities of the test clips."""
        found_MK = answers_of(self.original, members, self.table)
        found_MK[~self.tested_M] = np.nan
        return found_MK[None]

    def model(self, members: Sequence[Backbone]) -> Model:
        """Return the original with other members."""
        return replace(self.original, members=tuple(b.spec.name for b in members), card={})


Judge = Refitted | Unchanged
"""Answers clips with the tokens of some members, NaN where a clip is not judged."""


def judgement(answers_RMK: Floats, original_RMK: Floats, table: Table) -> Judgement:
    """Compare calibrated probabilities [R, M, K] of the same clips, paired over recordings.

    Raises
    ------
    ModelError
        If no clip was judged.
    """
    judged_M = np.asarray(np.isfinite(original_RMK).all(axis=(0, 2)))
    if not judged_M.any():
        raise ModelError(
            "no clip is left to judge by; give clips of recordings that the model has not seen"
        )
    labels_M = table.labels_M[judged_M]
    groups = [group for group, judged in zip(table.groups, judged_M, strict=True) if judged]
    answers_RMK, original_RMK = answers_RMK[:, judged_M], original_RMK[:, judged_M]
    hit_M = (answers_RMK.argmax(axis=2) == labels_M).mean(axis=0)
    original_M = (original_RMK.argmax(axis=2) == labels_M).mean(axis=0)
    clips_M = np.arange(len(labels_M))
    less_M = (original_RMK - answers_RMK)[:, clips_M, labels_M].astype(float).mean(axis=0)
    changed_M = (answers_RMK.argmax(axis=2) != original_RMK.argmax(axis=2)).mean(axis=0)
    loss = _floored(mean_interval(original_M - hit_M, groups), changed_M, less_M, groups)
    return Judgement(
        share_interval(hit_M, groups), loss, paired_loss(less_M, groups), float(changed_M.mean())
    )


def _floored(loss: Estimate, changed_M: Floats, less_M: Floats, groups: Sequence[str]) -> Estimate:
    """Widen an interval to what the answers that changed leave possible on other clips.

    Clips of one recording count for less than one each, as far as their probabilities move alike.
    """
    changed, trials = float(changed_M.mean()), independent_trials(less_M, groups)
    more = share_bound(changed * trials, trials) - changed
    return Estimate(loss.value, min(loss.low, loss.value - more), max(loss.high, loss.value + more))
