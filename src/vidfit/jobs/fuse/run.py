"""The third job: find out whether models are better together, and how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from vidfit.contracts import Backbone, Failure
from vidfit.errors import VidfitError
from vidfit.jobs.fuse.answer import Found, build_combination, combination_card
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.page import write_combination
from vidfit.jobs.fuse.pairs import Pairs
from vidfit.jobs.fuse.students import Graduate, Students
from vidfit.jobs.fuse.value import Combination
from vidfit.model import Model
from vidfit.progress import Progress
from vidfit.selection import Outer, Terms
from vidfit.shown import counted
from vidfit.study.candidates import Loaded, costs, predicted_seconds, within_minutes
from vidfit.study.compare import Compared, compare, model_of, save
from vidfit.study.declining import declines_of
from vidfit.study.folds import Folds
from vidfit.study.goal import check_fits, goal_of
from vidfit.study.measured import Division, Measured, measure
from vidfit.study.opened import Study, open_study
from vidfit.study.stages import one_blas_thread
from vidfit.study.table import Table, Tally
from vidfit.study.untested import with_untested
from vidfit.tasks import Task


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
    study = open_study(source, output, options, progress)
    check_fits(options.metric, study.task)
    _check_task(study.task, options)
    options = replace(options, workers=study.place.workers)
    left = len(study.labelled) - len(study.to_learn)
    if left:
        study.notes.append(f"{counted(left, 'clip')} of the test split left alone.")
    affordable = partial(_affordable, clips=len(study.to_learn), options=options)
    division = Division(keep_untested=options.keep_untested)
    measured = measure(study, study.to_learn, options, division, affordable)
    gathered = _gathered(study, measured, options)
    table = gathered.table
    goal = goal_of(options, table.clips, study.task, study.notes)
    terms = Terms(
        costs(gathered.ran), options.methods or study.task.methods, goal.rule,
        options.latency_seconds or math.inf, goal.measure, goal.even,
    )  # fmt: skip
    watched = _Watched(table, terms, options, study.notes)
    with study.timed("compare on unseen recordings"), one_blas_thread():
        folds = Folds(table.classes, study.notes, table.kind)
        compared = compare(table, folds, terms, study.progress, watched.see)
        student = watched.student(compared)
    model = model_of(compared.chosen, compared.folds_M, table)
    if options.keep_untested:
        model = with_untested(model, compared, gathered.whole, terms, study.notes)
    combination = build_combination(
        Found(
            study.source,
            replace(study.manifest, warnings=measured.manifest.warnings),
            table,
            gathered.ran,
            [*measured.dropped, *gathered.too_dear, *gathered.tally.backbones],
            [*study.manifest.rejected, *gathered.tally.clips],
            compared,
            watched.pairs.found(compared),
            student,
            study.notes,
            study.stages,
        )
    )
    declines = (
        declines_of(compared.chosen, compared.folds_M, table) if study.kind.exclusive else None
    )
    card = {
        **_card(combination, model, gathered.ran),
        "method": compared.chosen.method,
        "even": goal.even,
        "declines": asdict(declines) if declines else None,
    }
    save(model, card, gathered.ran, output / "model")
    if student and combination.offers_student:
        card = _card(combination, student.model, gathered.ran)
        save(student.model, card, gathered.ran, output / "student")
    write_combination(combination, output)
    return combination


class _Watched:
    """What is learned of pairs, and by a student if one was asked for, in each outer fold."""

    def __init__(self, table: Table, terms: Terms, options: FuseOptions, notes: list[str]) -> None:
        self.pairs = Pairs(table, terms.measure, even=terms.even)
        self._students = Students(table, terms, notes) if options.student else None
        self._costs = terms.costs

    def see(self, outer: Outer) -> None:
        """Look at a finished outer fold."""
        self.pairs.see(outer)
        if self._students:
            self._students.see(outer)

    def student(self, compared: Compared) -> Graduate | None:
        """Return the student of what was chosen."""
        return self._students.graduate(compared, self._costs) if self._students else None


def _check_task(task: Task, options: FuseOptions) -> None:
    """Refuse what a task has no use for."""
    if not task.methods:
        raise VidfitError(f"answers of the task {task.name!r} cannot be combined; fit takes it")
    for method in options.methods:
        if method not in task.methods:
            raise VidfitError(
                f"--method {method} does not combine answers of the task {task.name!r}; valid are "
                f"{', '.join(task.methods)}"
            )
    asked = {"--student": options.student, "--keep-untested": options.keep_untested}
    for option, wanted in asked.items():
        if wanted and not task.kind.exclusive:
            raise VidfitError(f"{option} is for clips with one class each; leave it away")


@dataclass(frozen=True)
class _Extracted:
    """Vectors of all clips by the candidates that ran, with and without untested classes."""

    ran: Sequence[Loaded]
    too_dear: Sequence[Failure]
    whole: Table
    table: Table
    tally: Tally


def _gathered(study: Study, measured: Measured, options: FuseOptions) -> _Extracted:
    """Let the candidates that the minutes allow see all clips."""
    clips = [*measured.to_learn, *measured.untested]
    loaded, too_dear = within_minutes(measured.candidates, len(clips), options)
    predicted = predicted_seconds(loaded, len(clips), study.place.workers)
    with study.timed("decode and extract", predicted):
        whole, tally = study.table(clips, [candidate.backbone for candidate in loaded])
    table = study.readable(whole, tally, measured.able, measured.manifest)
    ran = [candidate for candidate in loaded if candidate.name in table.vectors]
    return _Extracted(ran, too_dear, whole, table, tally)


def _affordable(
    candidates: Sequence[Loaded], *, clips: int, options: FuseOptions
) -> list[Backbone]:
    """Return the encoders that will see all clips."""
    return [one.backbone for one in within_minutes(candidates, clips, options)[0]]


def _card(combination: Combination, model: Model, ran: Sequence[Loaded]) -> dict[str, object]:
    specs = {candidate.name: candidate.backbone.spec for candidate in ran}
    return combination_card(combination, [specs[name] for name in model.members])
