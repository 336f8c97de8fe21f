"""The first job: find out which pretrained model fits the clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Progress
from vidfit.features import FeatureStore
from vidfit.jobs.select.race import race_rules, run_contest
from vidfit.jobs.select.ranking import Searched, build_ranking
from vidfit.jobs.select.value import Ranking
from vidfit.jobs.select.write import write_ranking
from vidfit.labels import of_classes
from vidfit.launch import launcher
from vidfit.manifest import noticed, read_manifest
from vidfit.reported import Stage
from vidfit.study.candidates import entrants, predicted_seconds
from vidfit.study.copies import joined
from vidfit.study.folds import able_classes
from vidfit.study.goal import check_fits, goal_of
from vidfit.study.options import SelectOptions
from vidfit.study.sources import say
from vidfit.study.stages import one_blas_thread, timed


def run_select(
    source: str | Path,
    output: Path,
    options: SelectOptions = SelectOptions(),
    progress: Progress | None = None,
) -> Ranking:
    """Race pretrained models on these clips; write the ranking and the features to ``output``.

    ``output`` gets ``ranking.html``, ``ranking.json``, ``ranking.svg`` and ``features/``. An
    interrupted or repeated run computes only what is missing, and so does a `fit` into the
    same folder.

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
    place = launcher(options.on, workers=options.workers, scratch=output)
    options = replace(options, workers=place.workers)
    manifest = read_manifest(source, groups=options.groups, labels=options.labels)
    labels = manifest.kind
    check_fits(options.metric, labels)
    say(manifest, progress)
    clips = [clip for clip in manifest.clips if clip.label is not None and clip.split != "test"]
    notes: list[str] = []
    able = able_classes(manifest.present(clips), notes, noticed(manifest), labels=labels)
    with timed(stages, "measure candidates"):
        candidates, dropped = entrants(of_classes(clips, able, labels), options, progress)
    store = FeatureStore(output / "features")
    with timed(stages, "look for copies"):
        clips = of_classes(clips, able, labels)
        alike = joined(replace(manifest, clips=tuple(clips)), store, place, progress)
    manifest = alike.manifest
    able = able_classes(manifest.present(manifest.clips), notes, noticed(manifest), labels=labels)
    clips = of_classes(manifest.clips, able, labels)
    manifest = replace(manifest, clips=tuple(clips))
    rules = race_rules(clips, options, spent=alike.seconds, labels=labels)
    with (
        timed(stages, "race", predicted_seconds(candidates, len(clips), place.workers)),
        one_blas_thread(),
    ):
        goal = goal_of(options, clips, labels, notes)
        contest = run_contest(clips, candidates, rules, goal, (store, place, labels), progress)
        contest = replace(contest, seconds=contest.seconds + alike.seconds)
    ranking = build_ranking(
        Searched(str(source), manifest, candidates, dropped, contest, options.rule, stages, notes)
    )
    write_ranking(ranking, output)
    return ranking
