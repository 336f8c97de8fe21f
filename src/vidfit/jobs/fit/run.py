"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Backbone, Clip, Failure, Floats, Progress
from vidfit.errors import VidfitError
from vidfit.evaluate import THRESHOLD_BITS
from vidfit.features import FeatureStore
from vidfit.fusion import METHODS as ALL_METHODS
from vidfit.jobs.fit.findings import Findings, build_report, can_judge, model_card
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.write import write_report
from vidfit.jobs.select.race import race_rules, run_contest
from vidfit.jobs.select.ranking import Searched, build_ranking
from vidfit.jobs.select.value import Ranking
from vidfit.jobs.select.write import write_ranking
from vidfit.labels import Labels, of_classes
from vidfit.launch import launcher
from vidfit.manifest import Manifest, noticed, read_manifest
from vidfit.reported import Report, Stage
from vidfit.selection import FUSION, SINGLE, Terms, nested
from vidfit.study.candidates import Loaded, costs, entrants, predicted_seconds
from vidfit.study.compare import Compared, compare, model_of, save
from vidfit.study.copies import COPY_BITS, joined
from vidfit.study.declining import declines_of
from vidfit.study.folds import Folds, able_classes, put_aside, split
from vidfit.study.goal import check_fits, goal_of
from vidfit.study.openings import open_holdout
from vidfit.study.sources import say
from vidfit.study.stages import one_blas_thread, timed
from vidfit.study.table import Table, build_table
from vidfit.study.untested import with_untested

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
    stages: list[Stage] = []
    notes: list[str] = []
    place = launcher(options.on, workers=options.workers, scratch=output)
    options = replace(options, workers=place.workers)
    store = FeatureStore(output / "features")
    manifest = read_manifest(source, groups=options.groups, labels=options.labels)
    labels = manifest.kind
    check_fits(options.metric, labels)
    _check_kind(labels, options)
    say(manifest, progress)
    labelled = _labelled(manifest)
    able = able_classes(manifest.present(labelled), notes, noticed(manifest), labels=labels)
    wanted = labelled if options.keep_untested else of_classes(labelled, able, labels)
    with timed(stages, "measure candidates"):
        drafted = put_aside(replace(manifest, clips=tuple(wanted)), options.holdout, [])
        candidates, dropped = entrants(_to_learn(drafted), options, progress)
    with timed(stages, "look for copies"):
        bits = THRESHOLD_BITS if options.merge_duplicates else COPY_BITS
        alike = joined(
            replace(manifest, clips=tuple(wanted)), store, place, progress,
            beside=_surely_run(candidates, options), join_bits=bits,
        )  # fmt: skip
    manifest = alike.manifest
    tested = of_classes(manifest.clips, able, labels)
    able = able_classes(manifest.present(tested), notes, noticed(manifest), labels=labels)
    untested = [c for c in manifest.clips if not of_classes([c], able, labels)]
    manifest = replace(manifest, clips=tuple(of_classes(tested, able, labels)))
    manifest = put_aside(manifest, options.holdout, notes)
    clips, learn = _labelled(manifest), _to_learn(manifest)

    with (
        timed(stages, "race", predicted_seconds(candidates, len(learn), place.workers)),
        one_blas_thread(),
    ):
        rules = race_rules(
            learn, options, keep=_MEMBERS, finish=True, spent=alike.seconds, labels=labels
        )
        goal = goal_of(options, learn, labels, notes)
        contest = run_contest(learn, candidates, rules, goal, (store, place, labels), progress)
        contest = replace(contest, seconds=contest.seconds + alike.seconds)
    ranking = build_ranking(
        Searched(
            str(source), manifest, candidates, dropped, contest, options.rule, stages, tuple(notes)
        )
    )
    with timed(stages, "gather features"):
        finalists = [c for c in candidates if c.name in contest.race.finalists]
        encoders = [candidate.backbone for candidate in finalists]
        kept = [clip for clip in untested if options.keep_untested and clip.split != "test"]
        whole, tally = build_table(
            [*clips, *kept], encoders, store, place, progress,
            steps=options.trains, labels=labels,
        )  # fmt: skip
    unread = f" that can be read ({len(tally.clips)} cannot)"
    read, known = of_classes(whole.clips, able, labels), noticed(manifest, tally.clips)
    table = whole.of_classes(able_classes(read, notes, known, unread, labels))
    train, test = split(table, notes)
    unseen_M = np.array([group not in contest.sighted for group in train.groups], np.bool_)
    if contest.sighted and not can_judge(train, unseen_M):
        notes.append(
            f"The budget dropped {len(contest.unproven)} candidates by clips that the score is of, "
            "too: it may be a few points too high. More minutes or --holdout mend that."
        )
    with timed(stages, "compare on unseen recordings"), one_blas_thread():
        limit = options.latency_seconds or math.inf
        terms = Terms(
            costs(finalists), methods_for(labels), options.rule, limit, goal.measure, goal.even
        )
        compared = _compared(train, terms, options, (stages, notes), progress)
        leaky = _leaky(compared, train, Folds(train.classes), terms)
    model = model_of(compared.chosen, compared.folds_M, train)
    if options.keep_untested:
        model = with_untested(model, compared, whole.split()[0], terms, notes)
    opened = open_holdout(test.clips, output, notes) if test.clips else 1
    with timed(stages, "measure what is declined"), one_blas_thread():
        declines = (
            declines_of(compared.chosen, compared.folds_M, train) if labels == "one" else None
        )
    report = build_report(
        Findings(
            str(source),
            replace(manifest, warnings=tuple(dict.fromkeys((*ranking.warnings, *notes)))),
            train,
            test,
            [c for c in finalists if c.name in train.vectors],
            [*_dropped(ranking), *tally.backbones],
            [*manifest.rejected, *tally.clips],
            compared,
            leaky,
            alike.look_alikes,
            model,
            stages,
            tally.notes,
            opened=opened,
            declines=declines,
            sighted=contest.sighted,
        )
    )
    members = [c.backbone.spec for c in finalists if c.name in model.members]
    card = {**model_card(report, members), "method": compared.chosen.method, "even": goal.even}
    save(model, card, finalists, output / "model")
    write_ranking(ranking, output)
    write_report(report, output)
    return report


def methods_for(labels: Labels) -> tuple[str, ...]:
    """Return the quick ways to combine that learn a kind of label."""
    return tuple(name for name in METHODS if labels in ALL_METHODS[name].labels)


def _check_kind(labels: Labels, options: FitOptions) -> None:
    """Refuse what is offered for one class a clip only."""
    asked = {"--train": bool(options.train), "--keep-untested": options.keep_untested}
    for option, wanted in asked.items():
        if wanted and labels != "one":
            raise VidfitError(f"{option} is for clips with one class each; leave it away")


def _compared(
    train: Table,
    terms: Terms,
    options: FitOptions,
    told: tuple[list[Stage], list[str]],
    progress: Progress | None,
) -> Compared:
    """Compare what is frozen, and, where it is wanted, a network that is trained."""
    stages, notes = told
    folds = Folds(train.classes, notes)
    if not options.trains or train.kind != "one":
        return compare(train, folds, terms, progress)
    from vidfit.jobs.fit.trainees import Trainees

    spent = sum(stage.measured_seconds for stage in stages)
    left = math.inf if options.train else (options.minutes or 0.0) * 60 - spent
    trainees = Trainees(train, terms.measure, left, notes)
    # Training is slow: one deal of recordings to folds must do.
    return trainees.graduate(compare(train, folds, terms, progress, trainees.see, most_deals=1))


def _dropped(ranking: Ranking) -> list[Failure]:
    """Return who never ran and who was dropped on the way, and why."""
    return [*ranking.dropped, *(failure for rung in ranking.rungs for failure in rung.dropped)]


def _labelled(manifest: Manifest) -> list[Clip]:
    return [clip for clip in manifest.clips if clip.label is not None]


def _to_learn(manifest: Manifest) -> list[Clip]:
    return [clip for clip in _labelled(manifest) if clip.split != "test"]


def _surely_run(candidates: Sequence[Loaded], options: FitOptions) -> list[Backbone]:
    """Return encoders that will see all clips, whoever leads the race: one decode is enough."""
    if options.minutes is not None or len(candidates) > _MEMBERS:
        return []
    return [candidate.backbone for candidate in candidates]


def _leaky(compared: Compared, train: Table, folds: Folds, terms: Terms) -> Floats:
    """Return answers [M, K] of the chosen candidate under folds of clips: what leaks claim."""
    chosen = compared.chosen
    if compared.trained and chosen is compared.trained.contender:
        from vidfit.jobs.fit.trainees import answers_under

        return answers_under(train, folds.at_random, chosen.members[0])
    methods = (chosen.method,) if chosen.method else ()
    rows = train.only(chosen.members).rows
    found = nested(rows, folds.at_random, replace(terms, methods=methods))
    return found.answers_MK[FUSION if chosen.method else SINGLE]
