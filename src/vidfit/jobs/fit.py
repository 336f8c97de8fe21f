"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Clip, Failure, Indices, Progress, Report, Stage
from vidfit.errors import VidfitError
from vidfit.evaluate import merge_groups, near_duplicates, unknown_thresholds
from vidfit.features import FeatureStore
from vidfit.fusion.linear import held_out_novelty
from vidfit.hardware import hardware
from vidfit.jobs.candidates import (
    Loaded,
    load_candidates,
    predicted_seconds,
    within_memory,
    within_minutes,
)
from vidfit.jobs.findings import Findings, build_report, model_card
from vidfit.jobs.folds import FOLDS, Folds, check_enough, put_aside
from vidfit.jobs.table import Table, build_table
from vidfit.manifest import read_manifest
from vidfit.metrics import fit_temperature, probabilities
from vidfit.model import Model, save_model
from vidfit.report import write_report
from vidfit.select import Comparison, Contender, Nested, compare, fit_contenders, nested

_PROBE_CLIPS = 4
_SECONDS_OF_STILLS = 1.0


@dataclass(frozen=True)
class FitOptions:
    """What a user may ask of `fit`.

    Parameters
    ----------
    backbones
        Names that `vidfit.backbones.load` takes; empty means all that are built in.
    groups
        File that maps clips to recordings.
    minutes
        Longest extraction; candidates that do not fit are dropped before it starts.
    memory_bytes
        Most memory of the process; candidates that do not fit are dropped.
    holdout
        Share of the recordings, in [0, 1), put aside as test set; 0 scores by nested
        cross-validation instead.
    workers
        Threads that decode and infer; ``None`` means one for each usable core.
    download
        Whether weights may be fetched over the network.
    merge_duplicates
        Whether recordings with clips that look the same count as one; otherwise such clips
        are only reported.
    """

    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    minutes: float | None = None
    memory_bytes: int | None = None
    holdout: float = 0.0
    workers: int | None = None
    download: bool = False
    merge_duplicates: bool = False


def run_fit(
    source: str | Path,
    output: Path,
    options: FitOptions = FitOptions(),
    progress: Progress | None = None,
) -> Report:
    """Find the model for these clips; write it, its report and the features to ``output``.

    ``output`` gets ``model/``, ``report.html``, ``report.json`` and ``features/``. Features
    are kept from run to run: an interrupted or repeated ``fit`` computes only what is missing.

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
        If nothing fits the minutes or the memory.
    """
    _check(options)
    stages: list[Stage] = []
    notes: list[str] = []
    workers = options.workers or hardware().cores
    manifest = read_manifest(source, groups=options.groups)
    clips = [clip for clip in manifest.clips if clip.label is not None]
    check_enough(clips)

    with _timed(stages, "measure candidates"):
        candidates, dropped = _candidates(clips, options, workers, progress)
    predicted = predicted_seconds(candidates, len(clips), workers)
    with _timed(stages, "decode and extract", predicted):
        encoders = [candidate.backbone for candidate in candidates]
        store = FeatureStore(output / "features")
        table, lost = build_table(clips, encoders, store, workers, progress)
    check_enough(table.clips, f" that can be read ({len(lost.clips)} cannot)")
    pairs = near_duplicates(table.keys, table.groups, table.hashes)
    if options.merge_duplicates:
        table = table.regrouped(merge_groups(table.keys, table.groups, pairs))
    train, test = put_aside(table, manifest, options.holdout, notes)
    with _timed(stages, "compare on unseen recordings"), _one_blas_thread():
        compared = _compare(train, Folds(train.classes, notes), progress)
    model = _model(compared, train)
    report = build_report(
        Findings(
            str(source),
            replace(manifest, warnings=(*manifest.warnings, *dict.fromkeys(notes))),
            train,
            test,
            [c for c in candidates if c.name in train.vectors],
            [*dropped, *lost.backbones],
            [*manifest.rejected, *lost.clips],
            compared.honest,
            compared.leaky,
            compared.choice,
            compared.contenders,
            pairs,
            model,
            stages,
        )
    )
    _save(model, report, candidates, output / "model")
    write_report(report, output)
    return report


def _check(options: FitOptions) -> None:
    if not 0 <= options.holdout < 1:
        raise VidfitError(f"holdout is {options.holdout}; it is a share of recordings in [0, 1)")
    if options.workers is not None and options.workers < 1:
        raise VidfitError(f"workers is {options.workers}; give 1 or more, or None for all cores")


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


def _compare(train: Table, folds: Folds, progress: Progress | None) -> _Compared:
    if progress:
        progress.start("compare", 2 * FOLDS)
    honest = nested(
        *train.rows, folds=folds.by_recording, inner_folds=folds.to_choose, progress=progress
    )
    folds_M = folds.to_choose(train.labels_M, train.groups, 0)
    contenders = fit_contenders(train.vectors, train.labels_M, folds_M)
    choice = compare(contenders, train.labels_M, train.groups)
    of_chosen = train.only(choice.chosen.members)
    leaky = nested(*of_chosen.rows, folds=folds.at_random, progress=progress)
    return _Compared(folds_M, honest, leaky, contenders, choice)


def _candidates(
    clips: Sequence[Clip], options: FitOptions, workers: int, progress: Progress | None
) -> tuple[list[Loaded], list[Failure]]:
    names = options.backbones or tuple(zoo.BACKBONES)
    probe = [clips[i] for i in np.linspace(0, len(clips) - 1, _PROBE_CLIPS).astype(int)]
    if progress:
        progress.start("measure candidates", len(names))
    candidates, dropped = load_candidates(
        names, probe, download=options.download, progress=progress
    )
    if options.memory_bytes is not None:
        candidates, over = within_memory(candidates, options.memory_bytes)
        dropped += over
    if options.minutes is not None:
        candidates, over = within_minutes(candidates, len(clips), workers, options.minutes)
        dropped += over
    return candidates, dropped


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


def _one_blas_thread() -> AbstractContextManager[object]:
    """Thousands of small fits: threads inside each only wait for one another."""
    import sklearn.linear_model  # noqa: F401  (only libraries that are loaded are limited)
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@contextmanager
def _timed(stages: list[Stage], name: str, predicted: float | None = None) -> Iterator[None]:
    started = time.perf_counter()
    yield
    stages.append(Stage(name, predicted, time.perf_counter() - started))
