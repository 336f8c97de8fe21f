"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import (
    Clip,
    Failure,
    Indices,
    NearDuplicate,
    Progress,
    Report,
    Stage,
    clip_key,
)
from vidfit.evaluate import merge_groups, near_duplicates, unknown_thresholds
from vidfit.features import FeatureStore
from vidfit.fusion.linear import held_out_novelty
from vidfit.hardware import hardware
from vidfit.jobs.candidates import Loaded, entrants, predicted_seconds, prices
from vidfit.jobs.contest import race_rules, run_contest
from vidfit.jobs.findings import Findings, build_report, model_card
from vidfit.jobs.folds import FOLDS, Folds, check_enough, put_aside, split
from vidfit.jobs.options import FitOptions
from vidfit.jobs.ranking import Searched, build_ranking
from vidfit.jobs.stages import one_blas_thread, timed
from vidfit.jobs.table import Table, build_table, look_alikes
from vidfit.manifest import Manifest, read_manifest
from vidfit.metrics import fit_temperature, probabilities
from vidfit.model import Model, save_model
from vidfit.ranking import Ranking
from vidfit.report import write_ranking, write_report
from vidfit.selection import Comparison, Contender, Nested, compare, fit_contenders, nested

_SECONDS_OF_STILLS = 1.0
_MEMBERS = 3
"""So many candidates stay in the race, proven behind or not: a fusion may want them."""


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
    workers = options.workers or hardware().cores
    store = FeatureStore(output / "features")
    manifest = read_manifest(source, groups=options.groups)
    check_enough(_labelled(manifest))
    manifest, pairs = _merged(manifest, options, store, progress)
    manifest = put_aside(manifest, options.holdout, notes)
    clips = _labelled(manifest)
    learn = [clip for clip in clips if clip.split != "test"]

    with timed(stages, "measure candidates"):
        candidates, dropped = entrants(learn, options, progress)
    with (
        timed(stages, "race", predicted_seconds(candidates, len(learn), workers)),
        one_blas_thread(),
    ):
        rules = race_rules(learn, options, keep=_MEMBERS, finish=True)
        contest = run_contest(learn, candidates, rules, store, workers, progress)
    ranking = build_ranking(
        Searched(str(source), manifest, candidates, dropped, contest, options.prefer, stages)
    )
    with timed(stages, "gather features"):
        finalists = [c for c in candidates if c.name in contest.race.finalists]
        encoders = [candidate.backbone for candidate in finalists]
        table, tally = build_table(clips, encoders, store, workers, progress)
    check_enough(table.clips, f" that can be read ({len(tally.clips)} cannot)")
    train, test = split(table, notes)
    with timed(stages, "compare on unseen recordings"), one_blas_thread():
        compared = _compare(
            train, Folds(train.classes, notes), prices(finalists, options), progress
        )
    model = _model(compared, train)
    report = build_report(
        Findings(
            str(source),
            replace(manifest, warnings=(*ranking.warnings, *dict.fromkeys(notes))),
            train,
            test,
            [c for c in finalists if c.name in train.vectors],
            [*_dropped(ranking), *tally.backbones],
            [*manifest.rejected, *tally.clips],
            compared.honest,
            compared.leaky,
            compared.choice,
            compared.contenders,
            pairs or near_duplicates(table.keys, table.groups, table.hashes),
            model,
            stages,
        )
    )
    _save(model, report, finalists, output / "model")
    write_ranking(ranking, output)
    write_report(report, output)
    return report


def _dropped(ranking: Ranking) -> list[Failure]:
    """Return who never ran and who was dropped on the way, and why."""
    return [*ranking.dropped, *(failure for rung in ranking.rungs for failure in rung.dropped)]


def _labelled(manifest: Manifest) -> list[Clip]:
    return [clip for clip in manifest.clips if clip.label is not None]


def _merged(
    manifest: Manifest, options: FitOptions, store: FeatureStore, progress: Progress | None
) -> tuple[Manifest, tuple[NearDuplicate, ...]]:
    """Join recordings that share a look, when asked; return the pairs that do."""
    if not options.merge_duplicates:
        return manifest, ()
    workers = options.workers or hardware().cores
    clips, pairs = look_alikes(_labelled(manifest), store, workers, progress)
    keys, groups = [clip_key(clip) for clip in clips], [clip.group or clip.path for clip in clips]
    joined = dict(zip(clips, merge_groups(keys, groups, pairs), strict=True))
    regrouped = (replace(clip, group=joined.get(clip, clip.group)) for clip in manifest.clips)
    return replace(manifest, clips=tuple(regrouped)), pairs


@dataclass(frozen=True)
class _Compared:
    """What was fitted on the training clips, and what was claimed of it on other recordings.

    ``folds_M`` are those on which was chosen.
    """

    folds_M: Indices
    honest: Nested
    leaky: Nested
    contenders: Sequence[Contender]
    choice: Comparison


def _compare(
    train: Table, folds: Folds, seconds: Mapping[str, float] | None, progress: Progress | None
) -> _Compared:
    if progress:
        progress.start("compare", 2 * FOLDS)
    honest = nested(
        train.rows,
        folds.by_recording,
        inner_folds=folds.to_choose,
        seconds=seconds,
        progress=progress,
    )
    folds_M = folds.to_choose(train.labels_M, train.groups, 0)
    contenders = fit_contenders(train.vectors, train.labels_M, folds_M)
    choice = compare(contenders, train.labels_M, train.groups, seconds)
    of_chosen = train.only(choice.chosen.members)
    leaky = nested(of_chosen.rows, folds.at_random, progress=progress)
    return _Compared(folds_M, honest, leaky, contenders, choice)


def _model(compared: _Compared, train: Table) -> Model:
    chosen = compared.choice.chosen
    out_MK = chosen.out_of_fold_MK
    temperature = fit_temperature(out_MK, train.labels_M)
    least, farthest = unknown_thresholds(
        probabilities(out_MK, temperature),
        train.labels_M,
        held_out_novelty([train.vectors[name] for name in chosen.members], compared.folds_M),
    )
    return Model(
        classes=train.classes,
        members=chosen.members,
        head=chosen.head,
        arrays=chosen.fitted.state(),
        temperature=temperature,
        unknown_probability=least,
        unknown_novelty=farthest,
        # Clips of one frame last no time; a longer video is then asked second by second.
        window_seconds=float(np.median(train.seconds_M)) or _SECONDS_OF_STILLS,
        longest_seconds=float(train.seconds_M.max()),
        card={},
    )


def _save(model: Model, report: Report, candidates: Sequence[Loaded], directory: Path) -> None:
    """Write the model with its card and the weights of its members."""
    loaded = {candidate.name: candidate.backbone for candidate in candidates}
    members = [loaded[name] for name in model.members]
    card = model_card(report, [member.spec for member in members])
    save_model(replace(model, card=card), directory, lambda i, folder: zoo.save(members[i], folder))
