"""A race over videos: rounds of extraction, each with a probe on recordings it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from vidfit.backbones.shuffled import Shuffled
from vidfit.contracts import Backbone, Clip, Failure, Floats, Indices
from vidfit.errors import NotEnoughDataError
from vidfit.fusion.even import evened
from vidfit.fusion.learner import lowest_loss
from vidfit.labels import (
    held_out_thresholds,
    shifted,
)
from vidfit.manifest import losses as lost_clips
from vidfit.manifest import refusal
from vidfit.metrics import LOSS, AnyMeasure, is_of_decisions, score_all
from vidfit.report.wording import metric_named
from vidfit.selection import (
    Purse,
    Race,
    Rules,
    Trial,
    Tried,
    first_size,
    in_two_parts,
    merit,
    race,
    spread_order,
)
from vidfit.shown import counted
from vidfit.study.candidates import Loaded, budget_seconds, costs
from vidfit.study.folds import Folds
from vidfit.study.goal import Goal
from vidfit.study.opened import Study
from vidfit.study.options import SelectOptions
from vidfit.study.table import Table, Tally
from vidfit.tasks import CLASSIFY, Task


@dataclass(frozen=True)
class Entry:
    """What a candidate did in its last round: answers [M, K] by fits on other folds.

    ``tried`` are those of all penalties, and ``learned`` the same before they are made those of
    even classes, by whose loss one penalty was taken.
    """

    table: Table
    folds_M: Indices
    answers_MK: Floats
    tried: Sequence[Floats]
    learned: Sequence[Floats]

    def settings(self, measure: AnyMeasure) -> Tried:
        """Return the penalties as settings to choose among again."""
        labels_M, groups = self.table.labels_M, self.table.groups
        lost = [self.table.kind.losses(answers_MK, labels_M) for answers_MK in self.learned]
        return Tried(
            score_all(LOSS, labels_M, lost, groups),
            score_all(measure, labels_M, [self._seen(measure, one) for one in self.tried], groups),
        )

    def seen_by(self, measure: AnyMeasure) -> Floats:
        """Return its answers as a measure sees them: decisions by thresholds of other folds."""
        return self._seen(measure, self.answers_MK)

    def _seen(self, measure: AnyMeasure, answers_MK: Floats) -> Floats:
        labels_M = self.table.labels_M
        if not self.table.kind.separate or not is_of_decisions(measure):
            return answers_MK
        limits_MK = held_out_thresholds(answers_MK, labels_M, self.folds_M)
        return shifted(answers_MK, limits_MK)


@dataclass(frozen=True)
class Contest:
    """A finished race over videos.

    Parameters
    ----------
    measure
        What candidates were compared by.
    last
        By candidate that ran, what it did in its last round.
    twin
        Name of the candidate that also ran with its frames shuffled, and what it did in the last
        round of both, with frames in order and shuffled; ``None`` when no candidate sees several
        frames at once.
    unread
        Clips that could not be read, with reasons.
    seconds
        Seconds of decode and inference, added over threads, that were spent.
    sighted
        Recordings by which candidates were dropped that were not proven behind. What is left
        looks too good on them.
    """

    race: Race
    measure: AnyMeasure
    last: Mapping[str, Entry]
    twin: tuple[str, Entry, Entry] | None
    unread: tuple[Failure, ...]
    seconds: float
    sighted: frozenset[str] = frozenset()

    @property
    def unproven(self) -> tuple[str, ...]:
        """Candidates that the budget dropped, though they were not proven behind."""
        return tuple(name for done in self.race.rounds for name in done.unproven)


def race_rules(
    clips: Sequence[Clip],
    options: SelectOptions,
    *,
    keep: int = 1,
    finish: bool = False,
    spent: float = 0.0,
    task: Task = CLASSIFY,
) -> Rules:
    """Return the rules of a race over these clips; ``spent`` seconds of its budget are gone."""
    first = first_size(len(clips), len(task.kind.classes(clips)))
    if task.windows:  # some windows of a span say nothing of where it begins and ends
        first = len(clips)
    budget = budget_seconds(options)
    left = None if budget is None else max(0.0, budget - spent)
    return Rules(len(clips), first, left, keep, finish)


def run_contest(contestants: Contestants) -> Contest:
    """Race candidates over clips.

    Raises
    ------
    NotEnoughDataError
        If fewer than two classes have readable clips.
    BackboneError
        If every candidate failed.
    """
    found = race(costs(contestants.candidates), contestants.run, contestants.rules)
    dropped_at = max((done.clips for done in found.rounds if done.unproven), default=0)
    seen = contestants.in_order[: contestants.looked_at.get(dropped_at, 0)]
    sighted = frozenset(clip.recording for clip in seen)
    measure = contestants.goal.measure
    return Contest(
        found,
        measure,
        contestants.last,
        contestants.twin,
        contestants.unread,
        contestants.seconds,
        sighted,
    )


def look_first(contestants: Contestants) -> float:
    """Say what candidates score on the first clips of a race; it takes their features over.

    Returns
    -------
    float
        Seconds of decode and inference, added over threads.

    Raises
    ------
    NotEnoughDataError, BackboneError
        As `run_contest`.
    """
    names = Purse(costs(contestants.candidates), contestants.rules).entrants()[0]
    trial = contestants.trial(names, contestants.rules.first)
    contestants.study.progress.note(so_far(trial, contestants.goal.measure))
    return trial.seconds


def _folds(table: Table, tally: Tally) -> Indices:
    """Deal folds to probe by; a refusal says first which clips were lost."""
    try:
        return Folds(table.classes, kind=table.kind).to_choose(table.labels_M, table.groups, 0)
    except NotEnoughDataError as error:
        known = lost_clips(tally.clips, len(table.clips) + len(tally.clips))
        raise NotEnoughDataError(refusal(known, str(error))) from error


def so_far(trial: Trial, measure: AnyMeasure) -> str:
    """Return in a line what candidates have scored in a round that is not the last, best first."""
    metric = metric_named(measure.name, measure.higher_is_better)
    best_first = sorted(trial.names, key=lambda name: -trial.merits[name])
    figures = (f"{name} {metric.figure(trial.of([name]).interval(0))}" for name in best_first)
    said = f"{metric.heading} on {counted(trial.clips, 'clip')} so far"
    return f"{said}: {'; '.join(figures)}"


@dataclass
class Contestants:
    """Runs candidates on the first clips of a study, and remembers what they did."""

    study: Study
    clips: Sequence[Clip]
    candidates: Sequence[Loaded]
    rules: Rules
    goal: Goal
    last: dict[str, Entry] = field(default_factory=dict)
    twin: tuple[str, Entry, Entry] | None = None
    unread: tuple[Failure, ...] = ()
    seconds: float = 0.0
    looked_at: dict[int, int] = field(default_factory=dict)
    """By the clips that were to be looked at, how many were: more where some cannot be read."""

    @cached_property
    def in_order(self) -> list[Clip]:
        """The clips so that every beginning is a fair sample."""
        kind = self.study.kind
        truth = kind.truth(self.clips, kind.classes(self.clips))
        spread = spread_order if self.rules.budget_seconds is None else in_two_parts
        order = spread(kind.stratum(truth), [clip.recording for clip in self.clips])
        return [self.clips[i] for i in order]

    def run(self, names: Sequence[str], size: int) -> Trial:
        """Run a round, and say what it found but for the first, which is told, and the last."""
        told = self.study.progress
        told.note(f"race: {counted(len(names), 'candidate')} on {counted(size, 'clip')}")
        trial = self.trial(names, size)
        if self.rules.first < size < len(self.clips):
            told.note(so_far(trial, self.goal.measure))
        return trial

    def trial(self, names: Sequence[str], size: int) -> Trial:
        """Run candidates on the first ``size`` clips, and probe them."""
        encoders = [c.backbone for c in self.candidates if c.name in names]
        mover = next((encoder for encoder in encoders if encoder.spec.name == self._mover), None)
        control = [] if mover is None else [Shuffled(mover)]
        table, tally, folds_M = self._extract([*encoders, *control], size)
        self.unread, self.seconds = tally.clips, self.seconds + tally.seconds
        ran = {
            e.spec.name: self._probe(table, e.spec.name, folds_M)
            for e in encoders
            if e.spec.name in table.vectors
        }
        self.last |= ran
        if control and control[0].spec.name in table.vectors and self._mover in ran:
            shuffled = self._probe(table, control[0].spec.name, folds_M)
            self.twin = self._mover, ran[self._mover], shuffled
        answers = {name: entry.seen_by(self.goal.measure) for name, entry in ran.items()}
        return Trial(
            tuple(ran),
            score_all(self.goal.measure, table.labels_M, list(answers.values()), table.groups),
            {
                n: merit(self.goal.measure, table.labels_M, a_MK, table.kind)
                for n, a_MK in answers.items()
            },
            tuple(failure for failure in tally.backbones if failure.name in names),
            tally.seconds,
        )

    @cached_property
    def _mover(self) -> str:
        """The cheapest candidate that sees several frames at once, if there is one."""
        movers = [c for c in self.candidates if c.backbone.spec.sampling.clip_len > 1]
        return min(movers, key=lambda c: c.cost.seconds).name if movers else ""

    def _extract(self, encoders: Sequence[Backbone], size: int) -> tuple[Table, Tally, Indices]:
        """Extract and deal folds; where too few of the first clips can be read, look at more."""
        wanted, seconds = size, 0.0
        while True:
            self.looked_at[wanted] = size
            try:
                table, tally = self.study.table(self.in_order[:size], encoders)
                seconds += tally.seconds
                return table, replace(tally, seconds=seconds), _folds(table, tally)
            except NotEnoughDataError:
                if size >= len(self.clips):
                    raise
                size *= 2

    def _probe(self, table: Table, name: str, folds_M: Indices) -> Entry:
        learned = self.study.task.learner.tried(table.vectors[name], table.labels_M, folds_M)
        best = lowest_loss(learned, table.labels_M, table.kind)
        tried = learned
        if self.goal.even:
            tried = [evened(out_MK, table.labels_M) for out_MK in learned]
        return Entry(table.only([name]), folds_M, tried[best], tried, learned)
