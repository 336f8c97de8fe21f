"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from vidfit.contracts import Backbone, Failure, Floats
from vidfit.errors import VidfitError
from vidfit.evaluate import THRESHOLD_BITS
from vidfit.jobs.fit.findings import Findings, build_report, can_judge, model_card
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.page import write_report
from vidfit.jobs.select.page import write_ranking
from vidfit.jobs.select.run import Search, first_look, search
from vidfit.jobs.select.value import Ranking
from vidfit.model import Model
from vidfit.progress import Progress
from vidfit.reported import Report
from vidfit.runtime import accelerate
from vidfit.selection import FUSION, NEVER, SINGLE, Terms, nested
from vidfit.shown import counted
from vidfit.study.candidates import Loaded, costs
from vidfit.study.compare import Compared, compare, model_of, save
from vidfit.study.copies import COPY_BITS
from vidfit.study.declining import declines_of
from vidfit.study.folds import Folds, split
from vidfit.study.goal import check_fits
from vidfit.study.measured import Division, Measured, measure
from vidfit.study.modalities import by_modality
from vidfit.study.opened import Study, open_study
from vidfit.study.openings import open_holdout
from vidfit.study.stages import one_blas_thread
from vidfit.study.table import Table, Tally
from vidfit.study.untested import with_untested
from vidfit.tasks import Task

_MEMBERS = 3
"""So many candidates stay in the race, proven behind or not: a fusion may want them."""

METHODS = ("concat", "stack", "logistic", "chain", "cascade")
"""Ways to combine them that are quick to try; `fuse` tries all."""


def run_fit(
    source: str | Path,
    output: Path,
    options: FitOptions = FitOptions(),
    progress: Progress | None = None,
) -> Report:
    """Find the model for these clips; write it, its report and the features to ``output``.

    ``output`` gets ``model/``, ``report.html``, ``ranking.html``, their figures as JSON, and
    ``features/``; where test clips are scored, ``holdouts/`` says how often. Features are kept
    from run to run: an interrupted or repeated ``fit`` computes only what is missing.

    Parameters
    ----------
    source
        Folder or list of clips; see `vidfit.manifest.read_manifest`.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If there are too few readable clips, classes or recordings.
    BackboneError
        If no candidate runs.
    BudgetError
        If nothing fits the minutes, the latency, the memory or the licence.
    """
    options.check()
    study = open_study(source, output, options, progress)
    check_fits(options.metric, study.task)
    _check_task(study.task, options)
    options = replace(options, workers=study.place.workers)
    bits = THRESHOLD_BITS if options.merge_duplicates else COPY_BITS
    division = Division(options.holdout, options.keep_untested, bits)
    surely_run = partial(_surely_run, options=options)
    look = partial(first_look, study, options)
    measured = measure(study, study.labelled, options, division, surely_run, look)
    searched = search(study, measured, options, keep=_MEMBERS, finish=True)
    write_ranking(searched.ranking, output)
    gathered = _gathered(study, measured, searched, options)
    terms = Terms(
        costs(gathered.finalists), methods_for(study.task), searched.goal.rule,
        options.latency_seconds or math.inf, searched.goal.measure, searched.goal.even,
    )  # fmt: skip
    with study.timed("compare on unseen recordings"), one_blas_thread():
        compared = _compared(study, gathered.train, terms, options)
        gathered = _with_trained(study, gathered, compared)
        leaky = _leaky(compared, gathered.train, terms)
        sees = {one.name: one.backbone.spec.sees for one in gathered.finalists}
        apart = by_modality(gathered.train, sees, compared.folds_M, terms.measure, even=terms.even)
        study.notes.extend(apart.lines(terms.measure) if apart else ())
    model = model_of(compared.chosen, compared.folds_M, gathered.train)
    if options.keep_untested:
        model = with_untested(model, compared, gathered.whole.split()[0], terms, study.notes)
    report = _report(study, measured, searched, gathered, (compared, leaky, model))
    members = [c.backbone.spec for c in gathered.finalists if c.name in model.members]
    card = {
        **model_card(report, members), "method": compared.chosen.method, "even": terms.even,
        **({"consent": options.consent} if study.task.consent else {}),
    }  # fmt: skip
    save(model, card, gathered.finalists, output / "model")
    write_report(report, output)
    return report


@dataclass(frozen=True)
class _Gathered:
    """Vectors of all clips by the finalists: to learn from, to test on, and with what is left."""

    finalists: Sequence[Loaded]
    whole: Table
    tally: Tally
    train: Table
    test: Table


def _gathered(study: Study, measured: Measured, searched: Search, options: FitOptions) -> _Gathered:
    """Let the finalists see all clips."""
    finalists = [c for c in measured.candidates if c.name in searched.finalists]
    kept = [c for c in measured.untested if options.keep_untested and c.split != "test"]
    with study.timed("gather features"):
        whole, tally = study.table(
            [*measured.manifest.clips, *kept],
            [candidate.backbone for candidate in finalists],
            steps=options.trains,
        )
    table = study.readable(whole, tally, measured.able, measured.manifest)
    train, test = split(table, study.notes)
    contest = searched.contest
    unseen_M = np.array([group not in contest.sighted for group in train.groups], np.bool_)
    if contest.sighted and not can_judge(train, unseen_M):
        study.notes.append(
            f"The budget dropped {counted(len(contest.unproven), 'candidate')} by clips that "
            "the score is of, "
            "too: it may be a few points too high. More minutes or --holdout mend that."
        )
    return _Gathered(finalists, whole, tally, train, test)


def _report(
    study: Study,
    measured: Measured,
    searched: Search,
    gathered: _Gathered,
    chosen: tuple[Compared, Floats, Model],
) -> Report:
    """Open the hold-out, measure what is declined, and put the report together."""
    (compared, leaky, model), (train, test) = chosen, (gathered.train, gathered.test)
    tally, ranking = gathered.tally, searched.ranking
    opened = open_holdout(test.clips, study.output, study.notes) if test.clips else 1
    with study.timed("measure what is declined"), one_blas_thread():
        declines = (
            declines_of(compared.chosen, compared.folds_M, train) if study.kind.exclusive else None
        )
    warnings = tuple(dict.fromkeys((*ranking.warnings, *study.notes)))
    return build_report(
        Findings(
            study.source,
            replace(measured.manifest, warnings=warnings),
            train,
            test,
            [c for c in gathered.finalists if c.name not in {f.name for f in tally.backbones}],
            [*_dropped(ranking), *tally.backbones],
            [*measured.manifest.rejected, *tally.clips],
            compared,
            leaky,
            measured.look_alikes,
            model,
            study.stages,
            tally.notes,
            opened=opened,
            declines=declines,
            sighted=searched.contest.sighted,
        )
    )


def methods_for(task: Task) -> tuple[str, ...]:
    """Return the quick ways to combine answers of a task."""
    return tuple(name for name in METHODS if name in task.methods)


def _check_task(task: Task, options: FitOptions) -> None:
    """Refuse what is offered for one class a clip, or by some tasks, only."""
    unfit = {
        "--train": bool(options.train) and task.training is None,
        "--keep-untested": options.keep_untested,
    }
    for option, is_unfit in unfit.items():
        if is_unfit and not task.kind.exclusive:
            raise VidfitError(f"{option} is for clips with one class each; leave it away")


def _compared(study: Study, train: Table, terms: Terms, options: FitOptions) -> Compared:
    """Compare what is frozen, and, where it is wanted, a network that is trained."""
    folds = Folds(train.classes, study.notes, study.kind)
    if not options.trains or not (train.kind.exclusive or train.task.training):
        return compare(train, folds, terms, study.progress)
    from vidfit.jobs.fit.trainees import EncoderInFolds, Trainees

    trains = None
    if train.task.training:
        found = train.task.training(train.clips, train.labels_M, train.classes, list(train.vectors))
        if found is None:
            study.notes.append(f"Nothing was trained: {train.task.name} trains no such encoder.")
            return compare(train, folds, terms, study.progress)
        trains = EncoderInFolds(train, found)
    spent = sum(stage.measured_seconds for stage in study.stages)
    left = math.inf if options.train else (options.minutes or 0.0) * 60 - spent
    trainees = Trainees(train, terms.measure, left, study.notes, trains)
    # Training is slow: one deal of recordings to folds must do.
    frozen = compare(train, folds, terms, study.progress, trainees.see, most_deals=1)
    return trainees.graduate(frozen)


def _with_trained(study: Study, gathered: _Gathered, compared: Compared) -> _Gathered:
    """Return what was gathered, with a trained encoder among the finalists."""
    if compared.trained is None or compared.trained.encoder is None:
        return gathered
    encoder, test = accelerate(compared.trained.encoder), gathered.test
    like = next(c for c in gathered.finalists if c.name == compared.trained.like)
    if test.clips:
        seen, _ = study.table(test.clips, [encoder])
        test = replace(test, vectors=test.vectors | seen.vectors)
    return replace(
        gathered, finalists=[*gathered.finalists, replace(like, backbone=encoder)], test=test
    )


def _dropped(ranking: Ranking) -> list[Failure]:
    """Return who never ran and who was dropped on the way, and why."""
    return [*ranking.dropped, *(failure for rung in ranking.rungs for failure in rung.dropped)]


def _surely_run(candidates: Sequence[Loaded], options: FitOptions) -> list[Backbone]:
    """Return encoders that will see all clips, whoever leads the race: one decode is enough."""
    if options.minutes is not None or len(candidates) > _MEMBERS:
        return []
    return [candidate.backbone for candidate in candidates]


def _leaky(compared: Compared, train: Table, terms: Terms) -> Floats:
    """Return answers [M, K] of the chosen candidate under folds of clips: what leaks claim."""
    chosen, folds = compared.chosen, Folds(train.classes, kind=train.kind)
    if compared.trained and chosen is compared.trained.contender:
        return compared.trained.under(folds.at_random)
    methods = (chosen.method,) if chosen.method else ()
    rows = train.only(chosen.members).rows
    found = nested(rows, folds.at_random, replace(terms, methods=methods))
    answers_MK = found.answers_MK.get(chosen.name)
    if answers_MK is not None and (answers_MK > NEVER).any(axis=1).all():
        return answers_MK
    best_MK = found.answers_MK[SINGLE]  # where a fold has it not, for it took too long there
    return found.answers_MK.get(FUSION, best_MK) if chosen.method else best_MK
