"""Fit every candidate and every fusion on one set of training clips, and find the best of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidfit.contracts import Cost, Floats, Indices, Truth, seconds_a_clip
from vidfit.fitted import FittedFusion, InTime, StagedFusion
from vidfit.fusion import METHODS, Training, fit_method
from vidfit.fusion.even import evened, evened_probe
from vidfit.fusion.linear import Linear
from vidfit.fusion.nested import training_of
from vidfit.labels import ONE, Kind, f1_thresholds, mean_loss, shifted
from vidfit.metrics import ACCURACY, LOSS, AnyMeasure, is_of_decisions, score_all
from vidfit.selection.recommend import Rule, recommend
from vidfit.selection.rows import Rows

PROBE = "linear"
"""The head of a probe, and of fusions that end in one."""

NETWORK = "network"
"""A trained network over one member's steps in time: `vidfit.networks.head`."""


@dataclass(frozen=True)
class Terms:
    """What a comparison goes by.

    Parameters
    ----------
    costs
        Of each backbone.
    methods
        Ways to combine them, of `vidfit.fusion.METHODS`; each is tried on the best pair and on
        all members.
    rule
        Which single model is recommended, and what a fusion must gain.
    latency_seconds
        Longest mean time of a clip; fusions that take longer are not chosen.
    measure
        What candidates are compared by.
    even
        Whether answers are those of even classes (`vidfit.fusion.even`): of single models, and
        of fusions that end in one probe; no others are tried.
    """

    costs: Mapping[str, Cost]
    methods: tuple[str, ...] = tuple(METHODS)
    rule: Rule = Rule()
    latency_seconds: float = math.inf
    measure: AnyMeasure = ACCURACY
    even: bool = False


@dataclass(frozen=True)
class Contender:
    """A fitted candidate.

    ``method`` is that of a fusion, empty of a single model; ``head`` is the kind under which it
    can be restored; ``out_of_fold_MK`` its log-probabilities for training clips, each from a fit
    without the clip's recording, at the head's own scale: a temperature is fitted on them, and is
    right for the head only while nothing has calibrated them before.
    """

    name: str
    method: str
    head: str
    members: tuple[str, ...]
    fitted: FittedFusion
    out_of_fold_MK: Floats

    def log_probabilities(self, rows: Rows) -> Floats:
        """Return log-probabilities [M, K] of clips."""
        blocks = self.blocks(rows)
        if isinstance(self.fitted, InTime):
            clues_ME = self.fitted.clues(blocks)
            return self.fitted.in_time(clues_ME, *rows.kind.order(rows.labels_M))
        return self.fitted.log_probabilities(blocks)

    def novelty(self, rows: Rows) -> Floats:
        """Return how far each clip lies from the training clips, [M], 1 on their average."""
        return self.fitted.novelty(self.blocks(rows))

    def blocks(self, rows: Rows) -> list[Floats]:
        """Return what its head looks at, by member."""
        of = rows.steps if self.head == NETWORK else rows.vectors
        return [of[name] for name in self.members]

    def first_blocks(self, rows: Rows) -> list[Floats]:
        """Return what its head looks at of the members that every clip is shown to."""
        blocks = self.blocks(rows)
        if isinstance(self.fitted, StagedFusion):
            return [blocks[i] for i in self.fitted.stages[0]]
        return blocks

    @property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """Members by stage, in the order in which they are asked: most ask all at once."""
        if isinstance(self.fitted, StagedFusion):
            return tuple(tuple(self.members[i] for i in stage) for stage in self.fitted.stages)
        return (self.members,)

    def depth(self, rows: Rows) -> Indices:
        """Return how many stages each clip goes through, [M]."""
        if isinstance(self.fitted, StagedFusion):
            return self.fitted.depth(self.blocks(rows))
        return np.ones(len(rows.labels_M), np.int64)

    def seconds(self, depth_M: Indices, costs: Mapping[str, Cost]) -> Floats:
        """Return what each clip takes, [M]: by stage that it reaches, a decode and forwards."""
        steps = [seconds_a_clip([costs[name] for name in stage]) for stage in self.stages]
        result: Floats = np.cumsum(steps)[depth_M - 1].astype(np.float32)
        return result

    def cost(self, rows: Rows, costs: Mapping[str, Cost]) -> Cost:
        """Return what a clip costs on average, by the stages that clips reach."""
        depth_M = self.depth(rows)
        members = [[costs[name] for name in stage] for stage in self.stages]
        gmacs_S = np.cumsum([sum(cost.gmacs for cost in stage) for stage in members])
        return Cost(
            0.0,
            float(self.seconds(depth_M, costs).mean()),
            gmacs=float(gmacs_S[depth_M - 1].mean()),
            parameters=sum(cost.parameters for stage in members for cost in stage),
        )


@dataclass(frozen=True)
class Choice:
    """The best single model, the one to recommend, and the best fusion.

    ``best_fusion`` is the cheapest within one standard error of the lowest log-loss; ``None``
    with a single candidate, or where none is fast enough.
    """

    best_single: Contender
    recommended: Contender
    best_fusion: Contender | None


def fit_contenders(rows: Rows, folds_M: Indices, terms: Terms) -> list[Contender]:
    """Fit every backbone alone, then fusions of the best pair and of all."""
    names = tuple(rows.vectors)
    training = training_of(
        list(rows.vectors.values()),
        rows.labels_M,
        folds_M,
        costs=[terms.costs[name] for name in names],
        learner=rows.task.learner,
    )
    singles = [
        Contender(name, "", rows.task.learner.head, (name,), member.probe, member.out_of_fold_MK)
        for name, member in zip(names, training.members, strict=True)
    ]
    fusions = [
        _fusion(method, names, team, training)
        for team in (_teams(training, terms.measure) if terms.methods else ())
        for method in terms.methods
        if not terms.even or METHODS[method].head == PROBE
    ]
    found = [*singles, *fusions]
    return [even_contender(one, rows.labels_M) for one in found] if terms.even else found


def even_contender(contender: Contender, labels_M: Indices) -> Contender:
    """Return a contender that ends in a probe with the answers of even classes.

    Raises
    ------
    TypeError
        If it ends in another head.
    """
    if not isinstance(contender.fitted, Linear):
        raise TypeError(f"{contender.name} ends in {contender.head}, not in a probe")
    return replace(
        contender,
        fitted=evened_probe(contender.fitted, labels_M),
        out_of_fold_MK=evened(contender.out_of_fold_MK, labels_M),
    )


def choose(contenders: Sequence[Contender], rows: Rows, terms: Terms) -> Choice:
    """Choose among fitted contenders by their out-of-fold answers."""
    labels_M, kind = rows.labels_M, rows.kind
    singles = [c for c in contenders if not c.method]
    singles.sort(key=lambda c: -_merit(terms.measure, labels_M, c.out_of_fold_MK, kind))
    fusions = [c for c in contenders if c.method and _is_in_time(c, rows, terms)]
    answers = [seen_by(terms.measure, labels_M, c.out_of_fold_MK, kind=kind) for c in singles]
    scored = score_all(terms.measure, labels_M, answers, rows.groups)
    of = [terms.costs[c.name] for c in singles]
    return Choice(
        singles[0],
        singles[recommend(scored, of, terms.rule)],
        _best_fusion(fusions, rows, terms),
    )


def _best_fusion(fusions: list[Contender], rows: Rows, terms: Terms) -> Contender | None:
    """Return the fusion of the lowest loss, or a cheaper one within one standard error of it.

    Fusions are many and much alike: their loss tells them apart with the least noise.
    """
    if not fusions:
        return None
    lost_by = {c.name: rows.kind.losses(c.out_of_fold_MK, rows.labels_M) for c in fusions}
    fusions = sorted(fusions, key=lambda c: float(lost_by[c.name].mean()))
    lost = [lost_by[c.name] for c in fusions]
    scored = score_all(LOSS, rows.labels_M, lost, rows.groups)
    rule = Rule(terms.rule.cheapest, give_up=math.inf)
    return fusions[recommend(scored, [c.cost(rows, terms.costs) for c in fusions], rule)]


def _is_in_time(contender: Contender, rows: Rows, terms: Terms) -> bool:
    if math.isinf(terms.latency_seconds):
        return True
    return contender.cost(rows, terms.costs).seconds <= terms.latency_seconds


def hits(log_probabilities_MK: Floats, labels_M: Indices) -> Floats:
    """Return 1.0 where the top answer is the label, else 0.0."""
    result: Floats = (log_probabilities_MK.argmax(axis=1) == labels_M).astype(np.float32)
    return result


def merit(measure: AnyMeasure, labels_M: Truth, answers_MK: Floats, kind: Kind = ONE) -> float:
    """Return what candidates are ordered by: the figure, and between equals the loss.

    Turned so that higher is better.

    Parameters
    ----------
    answers_MK
        As the measure sees them; see `seen_by`.
    """
    one = score_all(measure, labels_M, [answers_MK], [""] * len(labels_M))
    return float(one.merits_C[0]) - 1e-6 * mean_loss(answers_MK, labels_M, kind)


def seen_by(
    measure: AnyMeasure,
    labels_M: Truth,
    out_of_fold_MK: Floats,
    asked_MK: Floats | None = None,
    kind: Kind = ONE,
) -> Floats:
    """Return answers as a measure sees them: a measure of decisions, above thresholds of classes.

    Parameters
    ----------
    out_of_fold_MK
        Answers to clips with these labels, by which the thresholds are chosen.
    asked_MK
        Answers to other clips; the same where it is ``None``.
    """
    asked_MK = out_of_fold_MK if asked_MK is None else asked_MK
    if not kind.separate or not is_of_decisions(measure):
        return asked_MK
    return shifted(asked_MK, f1_thresholds(out_of_fold_MK, labels_M))


def _teams(training: Training, measure: AnyMeasure) -> Iterator[tuple[int, ...]]:
    """Yield who is fused: the best member with whom it goes best, and all of them.

    The pair is judged by the merit of its stack, which hardly overfits.
    """
    count = len(training.members)
    if count > 2:
        merits = [
            _merit(measure, training.labels_M, m.out_of_fold_MK, training.kind)
            for m in training.members
        ]
        best = int(np.argmax(merits))
        pairs = [(min(best, i), max(best, i)) for i in range(count) if i != best]
        yield max(pairs, key=lambda pair: _merit_of_stack(training.only(pair), measure))
    if count > 1:
        yield tuple(range(count))


def _merit_of_stack(training: Training, measure: AnyMeasure) -> float:
    stacked_MK = fit_method("stack", training).out_of_fold_MK
    return _merit(measure, training.labels_M, stacked_MK, training.kind)


def _merit(measure: AnyMeasure, labels_M: Truth, out_of_fold_MK: Floats, kind: Kind) -> float:
    seen_MK = seen_by(measure, labels_M, out_of_fold_MK, kind=kind)
    return merit(measure, labels_M, seen_MK, kind)


def _fusion(
    method: str, names: Sequence[str], team: tuple[int, ...], training: Training
) -> Contender:
    fitted = fit_method(method, training.only(team))
    head = training.together.head if training.together else METHODS[method].head
    return Contender(
        f"{method}-{len(team)}",
        method,
        head,
        tuple(names[team[i]] for i in fitted.used),
        fitted.fusion,
        fitted.out_of_fold_MK,
    )
