"""Nested cross-validation: a score from recordings that no choice has seen.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model
selection. In each outer fold everything is done again without the fold's recordings:
standardisation, penalties, stacking, the choice of the backbone and of the fusion.

Whether to fuse at all is decided on the answers to the outer folds, which no choice of a fusion
has seen. To score that decision too, it is made for each fold by the answers to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Estimate, Floats, Indices, Truth
from vidfit.hardware import hardware
from vidfit.labels import UNSEEN, f1_thresholds, odds
from vidfit.metrics import AnyMeasure, Scored, score_all
from vidfit.selection.compare import (
    Choice,
    Contender,
    Terms,
    choose,
    fit_contenders,
    merit,
    seen_by,
)
from vidfit.selection.rows import Rows
from vidfit.selection.ties import is_proven_better
from vidfit.threads import in_threads

_SEEDS = 1000
NEVER = UNSEEN
"""Log-probability of a class that a fit has not seen."""

SINGLE, FUSION = "the single model of each fold", "the fusion of each fold"
"""Names in `Nested.answers_MK` of what was chosen anew in each outer fold, calibrated there."""

Folds = Callable[[Truth, Sequence[str], int], Indices]
"""Labels, groups and a seed -> the fold of each clip."""


@dataclass(frozen=True)
class Gain:
    """What one candidate is worth more than another, such as a fusion than a single model.

    ``points`` is the difference of their figures, paired over recordings and above zero where the
    first is better; ``proven`` says whether that is more than chance allows.
    """

    points: Estimate
    proven: bool


@dataclass(frozen=True)
class Nested:
    """Answers to every clip by fits that have not seen its recording.

    Parameters
    ----------
    answers_MK
        Log-probabilities [M, K], or numbers, by contender, as its head gives them, and,
        calibrated in each fold, of `SINGLE` and `FUSION`. Where the measure is one of decisions
        among several classes, odds are even where a class is said: each fold's thresholds are
        chosen without it.
    seconds_M, depth_M
        By contender, what each clip takes and through how many stages it goes.
    best_single
        The single model with the best figure here, which a fusion is held against.
    gain
        ``None`` with a single candidate.
    chosen_MK
        Of each clip the fusion's answer where the other folds prove a gain that is worth its
        time, else the single model's; calibrated in each fold.
    chosen_by_fold
        What that was.
    said_MK
        Of several classes those that the chosen one says; empty of other labels.
    """

    answers_MK: Mapping[str, Floats]
    seconds_M: Mapping[str, Floats]
    depth_M: Mapping[str, Indices]
    best_single: str
    gain: Gain | None
    chosen_MK: Floats
    chosen_by_fold: tuple[str, ...]
    said_MK: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))


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

    rows: Rows
    inner_M: Indices
    test_M: NDArray[np.bool_]
    contenders: Sequence[Contender]
    choice: Choice

    @property
    def train(self) -> Rows:
        """The clips that were learned from; a copy, made when it is asked for."""
        return self.rows.where(~self.test_M)

    @property
    def test(self) -> Rows:
        """The clips left out; a copy, made when it is asked for."""
        return self.rows.where(self.test_M)


@dataclass
class _Sheet:
    """Answers to all clips, filled in fold by fold."""

    rows: Rows
    answers: dict[str, Floats] = field(default_factory=dict)
    calibrated: dict[str, Floats] = field(default_factory=dict)
    said: dict[str, Floats] = field(default_factory=dict)
    seconds: dict[str, Floats] = field(default_factory=dict)
    depth: dict[str, Indices] = field(default_factory=dict)

    def put(self, test_M: NDArray[np.bool_], found: _Answered) -> None:
        """Note answers; a fold without the last classes gives them no probability."""
        shape = (len(test_M), self.rows.classes)
        kinds = (
            (self.answers, found.answers),
            (self.calibrated, found.calibrated),
            (self.said, found.said),
        )
        for all_of, of_fold in kinds:
            for name, answer_MK in of_fold.items():
                all_MK = all_of.setdefault(name, np.full(shape, NEVER, np.float32))
                all_MK[test_M, : answer_MK.shape[1]] = answer_MK

    def spend(
        self, name: str, test_M: NDArray[np.bool_], depth_M: Indices, seconds_M: Floats
    ) -> None:
        """Note what the answers took."""
        clips = len(test_M)
        self.depth.setdefault(name, np.zeros(clips, np.int64))[test_M] = depth_M
        self.seconds.setdefault(name, np.zeros(clips, np.float32))[test_M] = seconds_M


def nested(  # noqa: PLR0913  (how clips are dealt, and by whom)
    rows: Rows,
    folds: Folds,
    terms: Terms,
    *,
    inner_folds: Folds | None = None,
    look: Callable[[Outer], None] | None = None,
    deal: int = 0,
    pool: ThreadPoolExecutor | None = None,
) -> Nested:
    """Run the whole choice once for each outer fold and answer the clips left out.

    Outer folds run in threads, one a core: BLAS is best kept to one thread.

    Parameters
    ----------
    folds, inner_folds
        Deal clips to the outer folds, and training clips to the folds on which is chosen;
        the same unless said otherwise.
    look
        Called with each finished outer fold, in their order.
    deal
        Which of many ways of dealing clips to folds.
    pool
        Threads that do other work, too; ``None`` takes one a core.
    """
    outer_M = folds(rows.labels_M, rows.groups, deal)
    sheet = _Sheet(rows)
    chosen: list[Choice] = []
    inner = inner_folds or folds
    # Dealt here, because dealing may set filters of warnings, which all threads share.
    tasks = [
        (outer_M == fold, _dealt(rows, outer_M != fold, inner, _SEEDS * deal + 1 + int(fold)))
        for fold in np.unique(outer_M)
    ]
    answer = partial(_answer_outside, rows, terms)
    for outer, answered in in_threads(answer, tasks, hardware().cores, pool=pool):
        sheet.put(outer.test_M, answered)
        for name, spent in answered.spent.items():
            sheet.spend(name, outer.test_M, *spent)
        chosen.append(outer.choice)
        if look:
            look(outer)
    _fill(sheet, outer_M, chosen)
    everyone = np.ones(len(outer_M), np.bool_)
    best = max(rows.vectors, key=lambda name: _merit(sheet, name, everyone, terms))
    roles = _decided(sheet, outer_M, chosen, terms)
    fold_M = np.unique(outer_M, return_inverse=True)[1]
    fused_M1 = np.array([role == FUSION for role, _ in roles])[fold_M, None]
    return Nested(
        sheet.answers,
        sheet.seconds,
        sheet.depth,
        best,
        _gain(sheet, everyone, best, terms) if FUSION in sheet.answers else None,
        _picked(sheet.calibrated, fused_M1),
        tuple(name for _, name in roles),
        _picked(sheet.said, fused_M1) > 0 if sheet.said else np.zeros((0, 0), np.bool_),
    )


def _picked(answers: Mapping[str, Floats], fused_M1: NDArray[np.bool_]) -> Floats:
    """Return of each clip what was chosen for its fold."""
    if FUSION not in answers:
        return answers[SINGLE]
    return np.where(fused_M1, answers[FUSION], answers[SINGLE])


def _dealt(rows: Rows, train_M: NDArray[np.bool_], inner: Folds, seed: int) -> Indices:
    """Return the inner folds of the clips outside an outer fold."""
    kept = np.flatnonzero(train_M)
    return inner(rows.labels_M[kept], [rows.groups[int(i)] for i in kept], seed)


@dataclass(frozen=True)
class _Answered:
    """By name the answers to the clips left out, and through how many stages in what time.

    ``answers`` are as the measure sees them; ``calibrated`` and ``said`` are those of roles.
    """

    answers: dict[str, Floats] = field(default_factory=dict)
    calibrated: dict[str, Floats] = field(default_factory=dict)
    said: dict[str, Floats] = field(default_factory=dict)
    spent: dict[str, tuple[Indices, Floats]] = field(default_factory=dict)

    def note(
        self, role: str, picked: Contender, given_MK: Floats, known: tuple[Rows, AnyMeasure]
    ) -> None:
        """Note what is answered where a contender was picked: calibrated, and what is said."""
        (rows, measure), out_MK = known, picked.out_of_fold_MK
        kind, labels_M = rows.kind, rows.labels_M
        temperature = kind.temperature(out_MK, labels_M)
        calibrated_MK = kind.as_answers(kind.stated(given_MK, temperature))
        self.calibrated[role] = self.answers[role] = calibrated_MK
        if kind.separate:
            said_MK = odds(given_MK) > f1_thresholds(out_MK, labels_M)
            self.said[role] = said_MK.astype(np.float32)
            out_MK = kind.as_answers(kind.stated(out_MK, temperature))
            self.answers[role] = seen_by(measure, labels_M, out_MK, calibrated_MK, kind)


def _answer_outside(
    rows: Rows, terms: Terms, task: tuple[NDArray[np.bool_], Indices]
) -> tuple[Outer, _Answered]:
    """Fit and choose on training clips, and answer the others."""
    test_M, inner_M = task
    train, test, found = rows.where(~test_M), rows.where(test_M), _Answered()
    contenders, given = fit_contenders(train, inner_M, terms), {}
    for contender in contenders:
        out_MK, answer_MK = contender.out_of_fold_MK, contender.log_probabilities(test)
        given[contender.name] = answer_MK
        found.answers[contender.name] = seen_by(
            terms.measure, train.labels_M, out_MK, answer_MK, train.kind
        )
        depth_M = contender.depth(test)
        found.spent[contender.name] = depth_M, contender.seconds(depth_M, terms.costs)
    choice = choose(contenders, train, terms)
    for role, picked in ((SINGLE, choice.recommended), (FUSION, choice.best_fusion)):
        if picked:
            found.note(role, picked, given[picked.name], (train, terms.measure))
    return Outer(rows, inner_M, test_M, contenders, choice), found


def _fill(sheet: _Sheet, outer_M: Indices, chosen: Sequence[Choice]) -> None:
    """Let the single model answer in folds where no fusion was fast enough."""
    for fold, choice in zip(np.unique(outer_M), chosen, strict=True):
        if FUSION in sheet.answers and choice.best_fusion is None:
            for of in (sheet.answers, sheet.calibrated, sheet.said):
                if of:
                    of[FUSION][outer_M == fold] = of[SINGLE][outer_M == fold]


def _decided(
    sheet: _Sheet, outer_M: Indices, chosen: Sequence[Choice], terms: Terms
) -> list[tuple[str, str]]:
    """Decide for each fold by the answers to the others whether to fuse: the role, and who."""
    by_fold = [(SINGLE, choice.recommended.name) for choice in chosen]
    if FUSION not in sheet.answers:
        return by_fold
    for i, fold in enumerate(np.unique(outer_M)):
        others_M = outer_M != fold
        best = max(sheet.rows.vectors, key=lambda name: _merit(sheet, name, others_M, terms))
        fusion = chosen[i].best_fusion
        if fusion and _is_worth_it(sheet, others_M, (fusion.name, best), terms):
            by_fold[i] = FUSION, fusion.name
    return by_fold


def _is_worth_it(
    sheet: _Sheet, among_M: NDArray[np.bool_], names: tuple[str, str], terms: Terms
) -> bool:
    """Return whether the fusion's gain over the best single is proven and worth its time."""
    fusion, single = names
    gain = _gain(sheet, among_M, single, terms)
    return gain.proven and terms.rule.pays(gain.points.value, times(sheet.seconds, fusion, single))


def _merit(sheet: _Sheet, name: str, among_M: NDArray[np.bool_], terms: Terms) -> float:
    labels_M = sheet.rows.labels_M[among_M]
    return merit(terms.measure, labels_M, sheet.answers[name][among_M], sheet.rows.kind)


def _gain(sheet: _Sheet, among_M: NDArray[np.bool_], single: str, terms: Terms) -> Gain:
    """Return what the fusion gains on some of the clips."""
    answers = [sheet.answers[name][among_M] for name in (FUSION, single)]
    groups = [sheet.rows.groups[int(i)] for i in np.flatnonzero(among_M)]
    return gain_of(score_all(terms.measure, sheet.rows.labels_M[among_M], answers, groups))


def gain_of(scored: Scored) -> Gain:
    """Return what the first of two candidates has more than the second, and whether it is proven.

    Two tests must agree: recordings drawn again, and signs of recordings flipped.
    """
    points = scored.lead(0, 1)
    return Gain(points, points.low > 0 and is_proven_better(scored, 0, 1))
