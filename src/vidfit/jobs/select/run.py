"""The first job: find out which pretrained model fits the clips."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vidfit.contracts import Clip
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.jobs.select.page import write_ranking
from vidfit.jobs.select.race import Contest, Contestants, look_first, race_rules, run_contest
from vidfit.jobs.select.ranking import Searched, build_ranking
from vidfit.jobs.select.value import Ranking
from vidfit.progress import Progress
from vidfit.study.candidates import Loaded, predicted_seconds
from vidfit.study.goal import Goal, check_fits, goal_of
from vidfit.study.measured import Measured, measure
from vidfit.study.opened import Study, open_study
from vidfit.study.options import SelectOptions
from vidfit.study.stages import one_blas_thread


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
    study = open_study(source, output, options, progress)
    check_fits(options.metric, study.task)
    options = replace(options, workers=study.place.workers)
    measured = measure(
        study, study.to_learn, options, first_look=partial(first_look, study, options)
    )
    ranking = search(study, measured, options).ranking
    write_ranking(ranking, output)
    return ranking


def first_look(
    study: Study, options: SelectOptions, candidates: Sequence[Loaded], clips: Sequence[Clip]
) -> float:
    """Rank candidates on a few clips and say so, before all clips are looked at for copies.

    Where a race has one round, nothing is done: its end is as near.

    Returns
    -------
    float
        Seconds of decode and inference, added over threads.
    """
    rules = race_rules(clips, options, task=study.task)
    if rules.first >= len(clips):
        return 0.0
    with study.timed("rank on a few clips"), one_blas_thread():
        goal = goal_of(options, clips, study.task, [])
        with suppress(NotEnoughDataError, BackboneError):  # the race says so, once copies are known
            return look_first(Contestants(study, clips, candidates, rules, goal))
    return 0.0


@dataclass(frozen=True)
class Search:
    """A finished race of candidates: who is left, by what they were compared, the ranking."""

    goal: Goal
    contest: Contest
    ranking: Ranking

    @property
    def finalists(self) -> tuple[str, ...]:
        """The candidates that saw all clips."""
        return self.contest.race.finalists


def search(
    study: Study,
    measured: Measured,
    options: SelectOptions,
    *,
    keep: int = 1,
    finish: bool = False,
) -> Search:
    """Race the candidates over the clips to learn from, and rank them.

    Parameters
    ----------
    keep
        How many stay in the race, proven behind or not.
    finish
        Whether those see all clips, even where the recommendation is clear before.
    """
    clips, candidates = measured.to_learn, measured.candidates
    predicted = predicted_seconds(candidates, len(clips), study.place.workers)
    with study.timed("race", predicted), one_blas_thread():
        goal = goal_of(options, clips, study.task, study.notes)
        rules = race_rules(
            clips, options, keep=keep, finish=finish, spent=measured.seconds, task=study.task
        )
        rules = replace(rules, rule=goal.rule)
        contest = run_contest(Contestants(study, clips, candidates, rules, goal))
        contest = replace(contest, seconds=contest.seconds + measured.seconds)
    found = Searched(
        study.source, measured.manifest, candidates, measured.dropped, contest, goal.rule,
        tuple(study.stages), tuple(study.notes),
    )  # fmt: skip
    return Search(goal, contest, build_ranking(found))
