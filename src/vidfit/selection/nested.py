"""Nested cross-validation: a score from recordings that no choice has seen.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model
selection. In each outer fold everything is done again without the fold's recordings:
standardisation, penalties, stacking, the choice of the backbone and of the fusion.

Whether to fuse at all is decided on the answers to the outer folds, which no choice of a fusion
has seen. To score that decision too, it is made for each fold by the answers to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats, Indices
from vidfit.metrics import fit_temperature, paired_interval, probabilities
from vidfit.selection.compare import Choice, Contender, Terms, choose, fit_contenders, hits, merit
from vidfit.selection.rows import Rows
from vidfit.selection.ties import is_proven_better

_NEVER = -20.0
"""Log-probability of a class that a fit has not seen."""

SINGLE, FUSION = "the single model of each fold", "the fusion of each fold"
"""Names in `Nested.answers_MK` of what was chosen anew in each outer fold, calibrated there."""

Folds = Callable[[Indices, Sequence[str], int], Indices]
"""Labels, groups and a seed -> the fold of each clip."""


@dataclass(frozen=True)
class Gain:
    """What the fusion of each fold is worth more than the best single model.

    ``points`` is the difference in accuracy, paired over recordings; ``proven`` says whether it
    is above zero by more than chance.
    """

    points: Estimate
    proven: bool


@dataclass(frozen=True)
class Nested:
    """Answers to every clip by fits that have not seen its recording.

    Parameters
    ----------
    answers_MK
        Log-probabilities [M, K] by contender, and of `SINGLE` and `FUSION`.
    seconds_M, depth_M
        By contender, what each clip takes and through how many stages it goes.
    best_single
        The single model with the highest accuracy here, which a fusion is held against.
    gain
        ``None`` with a single candidate.
    chosen_MK
        Of each clip the fusion's answer where the other folds prove a gain that is worth its
        time, else the single model's.
    chosen_by_fold
        What that was.
    """

    answers_MK: Mapping[str, Floats]
    seconds_M: Mapping[str, Floats]
    depth_M: Mapping[str, Indices]
    best_single: str
    gain: Gain | None
    chosen_MK: Floats
    chosen_by_fold: tuple[str, ...]


def times(seconds_M: Mapping[str, Floats], dear: str, cheap: str) -> float:
    """Return how many times as long a clip takes with one contender as with another."""
    least = float(seconds_M[cheap].mean())
    return float(seconds_M[dear].mean()) / least if least else 1.0


@dataclass(frozen=True)
class Outer:
    """One outer fold, as whoever wants to try more on it sees it.

    ``train`` with the folds ``inner_M`` and what was fitted and chosen there; ``test_M`` says
    which of all clips are left out, ``test`` are those.
    """

    train: Rows
    inner_M: Indices
    test_M: NDArray[np.bool_]
    test: Rows
    contenders: Sequence[Contender]
    choice: Choice


@dataclass
class _Sheet:
    """Answers to all clips, filled in fold by fold."""

    rows: Rows
    answers: dict[str, Floats] = field(default_factory=dict)
    seconds: dict[str, Floats] = field(default_factory=dict)
    depth: dict[str, Indices] = field(default_factory=dict)

    def put(self, name: str, test_M: NDArray[np.bool_], answer_MK: Floats) -> None:
        """Note answers; a fold without the last classes gives them no probability."""
        shape = (len(test_M), self.rows.classes)
        all_MK = self.answers.setdefault(name, np.full(shape, _NEVER, np.float32))
        all_MK[test_M, : answer_MK.shape[1]] = answer_MK

    def spend(
        self, contender: Contender, test_M: NDArray[np.bool_], test: Rows, terms: Terms
    ) -> None:
        """Note what the answers took."""
        clips = len(test_M)
        depth_M = contender.depth(test)
        self.depth.setdefault(contender.name, np.zeros(clips, np.int64))[test_M] = depth_M
        seconds_M = self.seconds.setdefault(contender.name, np.zeros(clips, np.float32))
        seconds_M[test_M] = contender.seconds(depth_M, terms.costs)


def nested(
    rows: Rows,
    folds: Folds,
    terms: Terms,
    *,
    inner_folds: Folds | None = None,
    look: Callable[[Outer], None] | None = None,
) -> Nested:
    """Run the whole choice once for each outer fold and answer the clips left out.

    Parameters
    ----------
    folds, inner_folds
        Deal clips to the outer folds, and training clips to the folds on which is chosen;
        the same unless said otherwise.
    look
        Called with each finished outer fold.
    """
    outer_M = folds(rows.labels_M, rows.groups, 0)
    sheet = _Sheet(rows)
    chosen: list[Choice] = []
    for fold in np.unique(outer_M):
        train = rows.where(outer_M != fold)
        inner_M = (inner_folds or folds)(train.labels_M, train.groups, 1 + int(fold))
        outer = _answer_outside(sheet, outer_M == fold, (train, inner_M), terms)
        chosen.append(outer.choice)
        if look:
            look(outer)
    _fill(sheet, outer_M, chosen)
    best = max(rows.vectors, key=lambda name: merit(sheet.answers[name], rows.labels_M))
    chosen_MK, by_fold = _decided(sheet, outer_M, chosen, terms)
    everyone = np.ones(len(outer_M), np.bool_)
    return Nested(
        sheet.answers,
        sheet.seconds,
        sheet.depth,
        best,
        _gain(sheet, everyone, best) if FUSION in sheet.answers else None,
        chosen_MK,
        by_fold,
    )


def _answer_outside(
    sheet: _Sheet, test_M: NDArray[np.bool_], training: tuple[Rows, Indices], terms: Terms
) -> Outer:
    """Fit and choose on training clips, and answer the others."""
    train, inner_M = training
    test = sheet.rows.where(test_M)
    contenders = fit_contenders(train, inner_M, terms)
    for contender in contenders:
        sheet.put(contender.name, test_M, contender.log_probabilities(test))
        sheet.spend(contender, test_M, test, terms)
    choice = choose(contenders, train, terms)
    for role, picked in ((SINGLE, choice.recommended), (FUSION, choice.best_fusion)):
        if picked:
            temperature = fit_temperature(picked.out_of_fold_MK, train.labels_M)
            calibrated_MK = probabilities(picked.log_probabilities(test), temperature)
            sheet.put(role, test_M, np.log(np.maximum(calibrated_MK, np.exp(_NEVER))))
    return Outer(train, inner_M, test_M, test, contenders, choice)


def _fill(sheet: _Sheet, outer_M: Indices, chosen: Sequence[Choice]) -> None:
    """Let the single model answer in folds where no fusion was fast enough."""
    for fold, choice in zip(np.unique(outer_M), chosen, strict=True):
        if FUSION in sheet.answers and choice.best_fusion is None:
            sheet.answers[FUSION][outer_M == fold] = sheet.answers[SINGLE][outer_M == fold]


def _decided(
    sheet: _Sheet, outer_M: Indices, chosen: Sequence[Choice], terms: Terms
) -> tuple[Floats, tuple[str, ...]]:
    """Decide for each fold by the answers to the others whether to fuse."""
    chosen_MK = sheet.answers[SINGLE].copy()
    by_fold = [choice.recommended.name for choice in chosen]
    if FUSION not in sheet.answers:
        return chosen_MK, tuple(by_fold)
    for i, fold in enumerate(np.unique(outer_M)):
        others_M = outer_M != fold
        best = max(sheet.rows.vectors, key=lambda name: _merit(sheet, name, others_M))
        fusion = chosen[i].best_fusion
        if fusion and _is_worth_it(sheet, others_M, (fusion.name, best), terms):
            chosen_MK[~others_M] = sheet.answers[FUSION][~others_M]
            by_fold[i] = fusion.name
    return chosen_MK, tuple(by_fold)


def _is_worth_it(
    sheet: _Sheet, among_M: NDArray[np.bool_], names: tuple[str, str], terms: Terms
) -> bool:
    """Return whether the fusion's gain over the best single is proven and worth its time."""
    fusion, single = names
    gain = _gain(sheet, among_M, single)
    return gain.proven and terms.rule.pays(gain.points.value, times(sheet.seconds, fusion, single))


def _merit(sheet: _Sheet, name: str, among_M: NDArray[np.bool_]) -> float:
    return merit(sheet.answers[name][among_M], sheet.rows.labels_M[among_M])


def _gain(sheet: _Sheet, among_M: NDArray[np.bool_], single: str) -> Gain:
    """Return what the fusion gains on some of the clips."""
    rows = sheet.rows.where(among_M)
    fused_M = hits(sheet.answers[FUSION][among_M], rows.labels_M)
    single_M = hits(sheet.answers[single][among_M], rows.labels_M)
    points = paired_interval(fused_M - single_M, rows.groups)
    proven = points.low > 0 and is_proven_better(fused_M, single_M, rows.groups)
    return Gain(points, proven)
