"""The third job: find out whether models are better together, and how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from vidfit.contracts import Clip, Progress
from vidfit.features import FeatureStore
from vidfit.fusion import METHODS
from vidfit.jobs.fuse.answer import Found, build_combination, combination_card
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.pairs import Pairs
from vidfit.jobs.fuse.students import Students
from vidfit.jobs.fuse.value import Combination
from vidfit.jobs.fuse.write import write_combination
from vidfit.labels import of_classes
from vidfit.launch import launcher
from vidfit.manifest import Manifest, check_one_class, noticed, read_manifest
from vidfit.model import Model
from vidfit.reported import Stage
from vidfit.selection import Outer, Terms
from vidfit.study.candidates import (
    Loaded,
    costs,
    entrants,
    predicted_seconds,
    within_minutes,
)
from vidfit.study.compare import compare, model_of, save
from vidfit.study.copies import joined
from vidfit.study.declining import declines_of
from vidfit.study.folds import Folds, able_classes
from vidfit.study.goal import check_fits, goal_of
from vidfit.study.sources import say
from vidfit.study.stages import one_blas_thread, timed
from vidfit.study.table import build_table
from vidfit.study.untested import with_untested


def run_fuse(
    source: str | Path,
    output: Path,
    options: FuseOptions = FuseOptions(),
    progress: Progress | None = None,
) -> Combination:
    """Combine pretrained models in every way; keep a combination only if it is proven better.

    ``output`` gets ``fusion.html``, ``fusion.json``, ``fusion.svg``, ``model/`` (the fusion if
    its gain is proven, else the best single model), ``student/`` where one was asked for that
    keeps some of a proven gain, and ``features/``, which a `fit` or `select` into the same
    folder shares.

    Parameters
    ----------
    source
        Folder or list of clips; see `vidfit.manifest.read_manifest`. Clips of a test split are
        left alone.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If there are too few readable clips, classes or recordings.
    BackboneError
        If no candidate runs.
    BudgetError
        If nothing fits the latency, the memory or the licence.
    """
    options.check()
    stages: list[Stage] = []
    notes: list[str] = []
    place = launcher(options.on, workers=options.workers, scratch=output)
    options = replace(options, workers=place.workers)
    manifest = read_manifest(source, groups=options.groups)
    check_one_class(manifest, "fuse")
    check_fits(options.metric, manifest.kind)
    say(manifest, progress)
    clips = _to_learn_from(manifest, notes)
    able = able_classes(manifest.present(clips), notes, noticed(manifest))
    clips = clips if options.keep_untested else of_classes(clips, able)
    with timed(stages, "measure candidates"):
        loaded, dropped = entrants(clips, options, progress)
        loaded, too_dear = within_minutes(loaded, len(clips), options)
    encoders = [candidate.backbone for candidate in loaded]
    store = FeatureStore(output / "features")
    with timed(stages, "decode and extract", predicted_seconds(loaded, len(clips), place.workers)):
        alike = joined(
            replace(manifest, clips=tuple(clips)), store, place, progress, beside=encoders
        ).manifest
        manifest = replace(manifest, warnings=alike.warnings)
        tested = of_classes(alike.clips, able)
        able = able_classes(alike.present(tested), notes, noticed(alike))
        tested = of_classes(tested, able)
        clips = list(alike.clips) if options.keep_untested else tested
        whole, tally = build_table(clips, encoders, store, place, progress)
    unread = f" that can be read ({len(tally.clips)} cannot)"
    read = of_classes(whole.clips, able)
    table = whole.of_classes(able_classes(read, notes, noticed(manifest, tally.clips), unread))
    ran = [candidate for candidate in loaded if candidate.name in table.vectors]
    goal = goal_of(options, table.clips, table.kind, notes)
    limit = options.latency_seconds or math.inf
    methods = options.methods or tuple(METHODS)
    terms = Terms(costs(ran), methods, options.rule, limit, goal.measure, goal.even)
    pairs = Pairs(table, goal.measure)
    students = Students(table, terms) if options.student else None

    def look(outer: Outer) -> None:
        pairs.see(outer)
        if students:
            students.see(outer)

    with timed(stages, "compare on unseen recordings"), one_blas_thread():
        compared = compare(table, Folds(table.classes, notes), terms, progress, look)
        student = students.graduate(compared, terms.costs) if students else None
    model = model_of(compared.chosen, compared.folds_M, table)
    if options.keep_untested:
        model = with_untested(model, compared, whole, terms, notes)
    found = Found(
        str(source),
        manifest,
        table,
        ran,
        [*dropped, *too_dear, *tally.backbones],
        [*manifest.rejected, *tally.clips],
        compared,
        pairs.found(compared),
        student,
        notes,
        stages,
    )
    combination = build_combination(found)
    declines = declines_of(compared.chosen, compared.folds_M, table)
    card = {
        **_card(combination, model, ran),
        "method": compared.chosen.method,
        "even": goal.even,
        "declines": asdict(declines),
    }
    save(model, card, ran, output / "model")
    if student and combination.offers_student:
        save(student.model, _card(combination, student.model, ran), ran, output / "student")
    write_combination(combination, output)
    return combination


def _to_learn_from(manifest: Manifest, notes: list[str]) -> list[Clip]:
    """Return the labelled clips outside the test split."""
    labelled = [clip for clip in manifest.clips if clip.label is not None]
    clips = [clip for clip in labelled if clip.split != "test"]
    if len(clips) < len(labelled):
        notes.append(f"{len(labelled) - len(clips)} clips of the test split were left alone.")
    return clips


def _card(combination: Combination, model: Model, ran: Sequence[Loaded]) -> dict[str, object]:
    specs = {candidate.name: candidate.backbone.spec for candidate in ran}
    return combination_card(combination, [specs[name] for name in model.members])
