"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Floats, Progress, clip_key
from vidfit.evaluate import merge_groups, near_duplicates
from vidfit.features import FeatureStore
from vidfit.jobs.candidates import costs, entrants, predicted_seconds
from vidfit.jobs.compared import Compared, compare, model_of, save
from vidfit.jobs.contest import race_rules, run_contest
from vidfit.jobs.copies import join_copies
from vidfit.jobs.findings import Findings, build_report, can_judge, model_card
from vidfit.jobs.folds import Folds, able_classes, of_classes, put_aside, split
from vidfit.jobs.measure import measure_of
from vidfit.jobs.options import FitOptions
from vidfit.jobs.ranking import Searched, build_ranking
from vidfit.jobs.sources import say
from vidfit.jobs.stages import one_blas_thread, timed
from vidfit.jobs.table import Table, build_table, look_alikes
from vidfit.jobs.untested import with_untested
from vidfit.launch import launcher
from vidfit.manifest import Manifest, noticed, read_manifest
from vidfit.ranking import Ranking
from vidfit.report import write_ranking, write_report
from vidfit.reported import NearDuplicate, Report, Stage
from vidfit.selection import FUSION, SINGLE, Terms, nested
from vidfit.work import Launcher

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
    ``features/``. Features are kept from run to run: an interrupted or repeated ``fit``
    computes only what is missing.

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
    manifest = read_manifest(source, groups=options.groups)
    say(manifest, progress)
    able = able_classes(manifest.present(_labelled(manifest)), notes, noticed(manifest))
    untested = [clip for clip in _labelled(manifest) if str(clip.label) not in able]
    manifest = replace(manifest, clips=tuple(of_classes(manifest.clips, able)))
    manifest, pairs = _merged(manifest, options, (store, place), progress)
    manifest = put_aside(manifest, options.holdout, notes)
    clips = _labelled(manifest)
    learn = [clip for clip in clips if clip.split != "test"]

    with timed(stages, "measure candidates"):
        candidates, dropped = entrants(learn, options, progress)
    with (
        timed(stages, "race", predicted_seconds(candidates, len(learn), place.workers)),
        one_blas_thread(),
    ):
        rules = race_rules(learn, options, keep=_MEMBERS, finish=True)
        measure = measure_of(options.metric, [str(clip.label) for clip in learn], notes)
        contest = run_contest(learn, candidates, rules, measure, (store, place), progress)
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
            [*clips, *kept], encoders, store, place, progress, steps=options.trains
        )
    unread = f" that can be read ({len(tally.clips)} cannot)"
    read = [clip for clip in whole.clips if str(clip.label) in able]
    table = whole.of_classes(able_classes(read, notes, noticed(manifest, tally.clips), unread))
    train, test = split(join_copies(table, notes), notes)
    unseen_M = np.array([group not in contest.sighted for group in train.groups], np.bool_)
    if contest.sighted and not can_judge(train, unseen_M):
        notes.append(
            f"The budget dropped {len(contest.unproven)} candidates by clips that the score is of, "
            "too: it may be a few points too high. More minutes or --holdout mend that."
        )
    with timed(stages, "compare on unseen recordings"), one_blas_thread():
        limit = options.latency_seconds or math.inf
        terms = Terms(costs(finalists), METHODS, options.rule, limit, measure)
        compared = _compared(train, terms, options, (stages, notes), progress)
        leaky = _leaky(compared, train, Folds(train.classes), terms)
    model = model_of(compared.chosen, compared.folds_M, train)
    if options.keep_untested:
        model = with_untested(model, compared, whole.split()[0], terms, notes)
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
            pairs or near_duplicates(table.keys, table.groups, table.hashes, place),
            model,
            stages,
            tally.notes,
            contest.sighted,
        )
    )
    members = [c.backbone.spec for c in finalists if c.name in model.members]
    card = {**model_card(report, members), "method": compared.chosen.method}
    save(model, card, finalists, output / "model")
    write_ranking(ranking, output)
    write_report(report, output)
    return report


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
    if not options.trains:
        return compare(train, folds, terms, progress)
    from vidfit.jobs.trainees import Trainees

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


def _merged(
    manifest: Manifest,
    options: FitOptions,
    where: tuple[FeatureStore, Launcher],
    progress: Progress | None,
) -> tuple[Manifest, tuple[NearDuplicate, ...]]:
    """Join recordings that share a look, when asked; return the pairs that do."""
    if not options.merge_duplicates:
        return manifest, ()
    clips, pairs = look_alikes(_labelled(manifest), *where, progress)
    keys, groups = [clip_key(clip) for clip in clips], [clip.group or clip.path for clip in clips]
    joined = dict(zip(clips, merge_groups(keys, groups, pairs), strict=True))
    regrouped = (replace(clip, group=joined.get(clip, clip.group)) for clip in manifest.clips)
    return replace(manifest, clips=tuple(regrouped)), pairs


def _leaky(compared: Compared, train: Table, folds: Folds, terms: Terms) -> Floats:
    """Return answers [M, K] of the chosen candidate under folds of clips: what leaks claim."""
    chosen = compared.chosen
    if compared.trained and chosen is compared.trained.contender:
        from vidfit.jobs.trainees import answers_under

        return answers_under(train, folds.at_random, chosen.members[0])
    methods = (chosen.method,) if chosen.method else ()
    rows = train.only(chosen.members).rows
    found = nested(rows, folds.at_random, replace(terms, methods=methods))
    return found.answers_MK[FUSION if chosen.method else SINGLE]
