"""Fit what can be fitted, choose on recordings that were not learned from, make a model of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Detector, Estimate, Floats, Indices, Truth
from vidfit.evaluate import Thresholds
from vidfit.hardware import hardware
from vidfit.metrics import Scored, averaged, score_all
from vidfit.model import Model, save_model
from vidfit.progress import Progress
from vidfit.report.wording import Metric, metric_named
from vidfit.runtime import Accelerated
from vidfit.selection import (
    Choice,
    Contender,
    Nested,
    Outer,
    Terms,
    choose,
    fit_contenders,
    nested,
    times,
)
from vidfit.study.candidates import Loaded
from vidfit.study.declining import Calibrated
from vidfit.study.folds import FOLDS, Folds
from vidfit.study.table import Table
from vidfit.threads import threads_of

_SECONDS_OF_STILLS = 1.0

DEALS, FEW_CLIPS = 5, 500
"""Up to that many clips recordings are dealt to folds five times; beyond, deals hardly differ."""


@dataclass(frozen=True)
class Trained:
    """A network that was trained over the best backbone (`vidfit.jobs.fit.trainees`).

    ``gain`` is by how much it is better than the whole frozen procedure, paired over recordings.
    ``under`` answers each clip by a training without its fold; a clip takes as long as by the
    candidate ``like``; ``encoder`` is that of which a part was trained, if one was.
    """

    contender: Contender
    gain: Estimate
    proven: bool
    under: Callable[[Callable[[Truth, Sequence[str], int], Indices]], Floats]
    like: str
    encoder: Backbone | None = None

    def verdict(self, metric: Metric) -> str:
        """Say in a sentence what follows for the user."""
        name, gain = self.contender.name, metric.gain(self.gain)
        if self.proven:
            return f"Training kept: {name} beats all that is frozen by {gain}."
        return f"No proven gain from training: {name} is {gain} against it."


@dataclass(frozen=True)
class Compared:
    """What was fitted on the training clips, and what it is worth on other recordings.

    ``deals`` are answers to every clip, each by a way of dealing recordings to folds: one deal
    alone moves the figure of the whole procedure by up to three points where clips are few. What
    contenders score is of the first, ``honest``.
    ``folds_M`` are those on which was chosen, on ``terms``; ``behind`` is by how much the best
    single model is ahead of the recommended one, ``None`` where they are the same; ``trained``
    is the network that was trained, if one was.
    """

    folds_M: Indices
    train: Table
    deals: Sequence[Nested]
    contenders: Sequence[Contender]
    choice: Choice
    terms: Terms
    behind: Estimate | None = None
    trained: Trained | None = None

    @property
    def honest(self) -> Nested:
        """The answers of the first deal."""
        return self.deals[0]

    def scored(self, names: Sequence[str]) -> Scored:
        """Return what contenders, or `SINGLE` and `FUSION`, score in the first deal."""
        train, answers = self.train, self.honest.answers_MK
        return score_all(
            self.terms.measure, train.labels_M, [answers[name] for name in names], train.groups
        )

    def procedure(self, *others: Floats) -> Scored:
        """Return what the whole procedure scores, averaged over the deals; beside it, others.

        Parameters
        ----------
        others
            Answers [M, K] that are the same in every deal, such as those of a baseline.
        """
        measure, train = self.terms.measure, self.train
        return averaged(
            [
                score_all(measure, train.labels_M, [deal.chosen_MK, *others], train.groups)
                for deal in self.deals
            ]
        )

    @property
    def chosen_in_folds(self) -> tuple[str, ...]:
        """The names of what was chosen in the folds of all deals, each once."""
        return tuple(sorted({name for deal in self.deals for name in deal.chosen_by_fold}))

    @property
    def protocol(self) -> str:
        """How the answers were held out."""
        folds, deals = len(self.honest.chosen_by_fold), len(self.deals)
        dealt = f", dealt {deals} times and averaged by recording" if deals > 1 else ""
        return (
            f"nested cross-validation, {folds} folds of recordings{dealt}; every choice is made "
            f"again without the fold (chosen in the folds: {', '.join(self.chosen_in_folds)})"
        )

    @property
    def chosen(self) -> Contender:
        """A trained network or a fusion whose gain is proven, else the recommended model."""
        return self.trained.contender if self.trained and self.trained.proven else self.frozen

    @property
    def frozen(self) -> Contender:
        """The fusion if its gain is proven and worth its time, else the recommended model."""
        fusion = self.choice.best_fusion
        return fusion if fusion and self.takes_fusion else self.choice.recommended

    @property
    def takes_fusion(self) -> bool:
        """Whether the fusion's gain is proven and worth its time."""
        gain = self.honest.gain
        return bool(gain and gain.proven and self.terms.rule.pays(gain.points.value, self.times))

    @property
    def times(self) -> float:
        """How many times as long a clip takes with the fusion as with the best single model."""
        fusion = self.choice.best_fusion
        seconds_M = self.honest.seconds_M
        return times(seconds_M, fusion.name, self.honest.best_single) if fusion else 1.0

    @property
    def verdict(self) -> str:
        """What follows for the user, in a few sentences."""
        frozen = [] if self.takes_fusion else self._cheapness
        trained = [self.trained.verdict(self._metric)] if self.trained else []
        took = self.train.task.took
        setting = [took(self.chosen.fitted)] if took else []
        return " ".join([self._fusion, *frozen, *trained, *filter(None, setting)])

    @property
    def _metric(self) -> Metric:
        measure = self.terms.measure
        return metric_named(measure.name, measure.higher_is_better)

    @property
    def _fusion(self) -> str:
        """What is to be said of combining models."""
        honest, fusion = self.honest, self.choice.best_fusion
        gain, single = honest.gain, honest.best_single
        if gain is None:
            alone = len(self.contenders) == 1
            return f"{single} is the only candidate." if alone else "No fusion was tried."
        if fusion is None:
            return f"No fusion is fast enough; use {self.choice.recommended.name}."
        beats = (
            f"{fusion.name} of {listed(fusion.members)} beats the best single model, {single}, by "
            f"{self._metric.gain(gain.points)} at {self.times:.1f} times the time"
        )
        if self.takes_fusion:
            return f"Fusion kept: {beats}."
        if gain.proven:
            most = self._metric.amount(self.terms.rule.most)
            return (
                f"Gain proven, fusion not taken: {beats}. That is no more than the {most} of "
                "--give-up; --prefer best takes it."
            )
        return (
            f"No proven gain from fusion: against {single}, the best fusion of each fold is "
            f"{self._metric.gain(gain.points)}; use {self.choice.recommended.name}."
        )

    @property
    def _cheapness(self) -> list[str]:
        """What taking a cheaper model than the best costs."""
        best, taken = self.choice.best_single, self.choice.recommended
        if self.behind is None:
            return []
        ratio = times(self.honest.seconds_M, best.name, taken.name)
        gain = self._metric.gain(self.behind)
        return [
            f"{taken.name} is taken in place of {best.name}, the best where it was chosen, because "
            f"it is cheaper and within one standard error: {best.name} is {gain} against it at "
            f"{ratio:.1f} times the time; --prefer best takes it."
        ]


def listed(names: Sequence[str]) -> str:
    """Return names as one reads them: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def compare(
    train: Table,
    folds: Folds,
    terms: Terms,
    progress: Progress,
    look: Callable[[Outer], None] | None = None,
    *,
    most_deals: int = DEALS,
) -> Compared:
    """Answer every clip by what was chosen without its recording, then choose on all clips.

    Parameters
    ----------
    look
        Called with each finished outer fold of the first deal.
    most_deals
        How many times recordings are dealt to folds where there are few clips; once otherwise.
    """
    deals = deals_of(train, folds, most_deals)

    def seen(outer: Outer) -> None:
        progress.advance()

    def seen_first(outer: Outer) -> None:
        if look:
            look(outer)
        seen(outer)

    progress.start("compare on unseen recordings", FOLDS * len(deals))
    rows, folds_M = train.rows, folds.to_choose(train.labels_M, train.groups, 0)
    with threads_of(hardware().cores) as pool:
        fitted = pool.submit(fit_contenders, rows, folds_M, terms)
        dealt = partial(nested, rows, folds.by_recording, inner_folds=folds.to_choose, pool=pool)
        first = dealt(terms, look=seen_first)
        taken = replace(terms, methods=_methods_taken(first, terms))
        further = [dealt(taken, look=seen, deal=deal) for deal in deals[1:]]
        contenders = fitted.result()
    choice = choose(contenders, rows, terms)
    compared = Compared(folds_M, train, [first, *further], contenders, choice, terms)
    if choice.recommended is choice.best_single:
        return compared
    names = choice.best_single.name, choice.recommended.name
    return replace(compared, behind=compared.scored(names).lead(0, 1))


def _methods_taken(first: Nested, terms: Terms) -> tuple[str, ...]:
    """Return the ways to combine models that were taken in a fold: further deals try no others.

    Where no fold took a fusion, further deals need none to repeat what was done.
    """
    by_fold = {name.rpartition("-")[0] for name in first.chosen_by_fold}
    return tuple(method for method in terms.methods if method in by_fold)


def deals_of(train: Table, folds: Folds, most: int = DEALS) -> list[int]:
    """Return the seeds of differing ways of dealing recordings to folds, 0 first.

    Where every recording is a fold of its own there is one way only.
    """
    if len(train.clips) > FEW_CLIPS:
        return [0]
    seeds: list[int] = []
    known: set[frozenset[frozenset[int]]] = set()
    for seed in range(most):
        fold_M = folds.by_recording(train.labels_M, train.groups, seed)
        deal = frozenset(frozenset(map(int, np.flatnonzero(fold_M == f))) for f in set(fold_M))
        if deal not in known:
            seeds.append(seed)
            known.add(deal)
    return seeds


def model_of(chosen: Contender, folds_M: Indices, train: Table) -> Model:
    """Return a contender as a model, with calibration and thresholds, without a card."""
    out_MK, usual = chosen.out_of_fold_MK, Thresholds(0.0, math.inf)
    temperature, strict = train.kind.temperature(out_MK, train.labels_M), usual
    if train.task.declines:
        found = Calibrated.of(chosen, folds_M, train.rows)
        usual, strict = found.usual, found.strict
    stated_MK = train.kind.stated(out_MK, temperature)
    return Model(
        classes=train.classes,
        members=chosen.members,
        head=chosen.head,
        arrays=chosen.fitted.state(),
        temperature=temperature,
        unknown_probability=usual.probability,
        unknown_novelty=usual.novelty,
        strict_probability=strict.probability,
        strict_novelty=strict.novelty,
        # Clips of one frame last no time; a longer video is then asked second by second.
        window_seconds=float(np.median(train.seconds_M)) or _SECONDS_OF_STILLS,
        longest_seconds=float(train.seconds_M.max()),
        card={},
        task=train.task.name,
        thresholds=train.kind.thresholds(stated_MK, train.labels_M),
    )


def save(
    model: Model, card: Mapping[str, object], candidates: Sequence[Loaded], directory: Path
) -> None:
    """Write the model with its card and the weights of its members.

    The card says on which engine each ran, and how far its export differed from torch.
    """
    loaded = {candidate.name: candidate.backbone for candidate in candidates}
    members = [loaded[name] for name in model.members]
    networks = [one.candidates if isinstance(one, Detector) else one for one in members]
    engines = {
        network.spec.name: {"engine": network.engine, "parity": network.parity}
        for network in networks
        if isinstance(network, Accelerated)
    }
    whole = replace(model, card={**card, "engines": engines})
    save_model(whole, directory, lambda i, folder: zoo.save(members[i], folder))
