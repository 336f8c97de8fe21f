"""The main job: clips in, an honest report and a runnable model out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Clip, Failure, Indices, Progress, Report, Stage
from vidfit.errors import NotEnoughDataError
from vidfit.evaluate import unknown_thresholds
from vidfit.features import FeatureStore
from vidfit.hardware import hardware
from vidfit.jobs.candidates import (
    Loaded,
    load_candidates,
    predicted_seconds,
    within_memory,
    within_minutes,
)
from vidfit.jobs.findings import Findings, build_report
from vidfit.jobs.table import Table, build_table
from vidfit.manifest import Manifest, grouped_folds, holdout, random_folds, read_manifest
from vidfit.metrics import fit_temperature, probabilities
from vidfit.model import Model, save_model
from vidfit.report import write_report
from vidfit.select import Contender, compare, fit_contenders, nested

FOLDS = 5
_PROBE_CLIPS = 4


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
    """

    backbones: tuple[str, ...] = ()
    groups: Path | None = None
    minutes: float | None = None
    memory_bytes: int | None = None
    holdout: float = 0.0
    workers: int | None = None
    download: bool = False


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
    stages: list[Stage] = []
    workers = options.workers or hardware().cores
    manifest = read_manifest(source, groups=options.groups)
    clips = _labelled(manifest)

    with _timed(stages, "measure candidates"):
        candidates, dropped = _candidates(clips, options, workers, progress)
    predicted = predicted_seconds(candidates, len(clips), workers)
    with _timed(stages, "decode and extract", predicted):
        table, lost = build_table(
            clips,
            [c.backbone for c in candidates],
            FeatureStore(output / "features"),
            workers,
            progress,
        )
    if options.holdout and not any(clip.split == "test" for clip in table.clips):
        marked = holdout(replace(manifest, clips=table.clips), options.holdout, seed=0)
        table = replace(table, clips=marked.clips)
    train, test = table.split()

    with _timed(stages, "compare on unseen recordings"):
        if progress:
            progress.start("compare", 2 * FOLDS)
        honest = nested(
            *train.rows, folds=_grouped, inner_folds=_grouped_to_choose, progress=progress
        )
        folds_M = _grouped_to_choose(train.labels_M, train.groups, 0)
        contenders = fit_contenders(train.vectors, train.labels_M, folds_M)
        comparison = compare(contenders, train.labels_M, train.groups)
        of_chosen = train.only(comparison.chosen.members)
        leaky = nested(*of_chosen.rows, folds=_at_random, progress=progress)
    with _timed(stages, "write the model"):
        model = _model(comparison.chosen, train)
        members = {candidate.name: candidate.backbone for candidate in candidates}
        save_model(
            model,
            output / "model",
            lambda i, directory: zoo.save(members[model.members[i]], directory),
        )
    report = build_report(
        Findings(
            str(source),
            manifest,
            train,
            test,
            [c for c in candidates if c.name in train.vectors],
            [*dropped, *lost.backbones],
            [*manifest.rejected, *lost.clips],
            honest,
            leaky,
            comparison,
            contenders,
            model,
            stages,
        )
    )
    write_report(report, output)
    return report


def _labelled(manifest: Manifest) -> list[Clip]:
    clips = [clip for clip in manifest.clips if clip.label is not None]
    if len({clip.label for clip in clips}) < 2:
        raise NotEnoughDataError(
            f"found {len(clips)} labelled clips of {len(manifest.classes)} class; "
            "fit needs two classes or more, such as clips/CLASS/*.mp4"
        )
    return clips


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


def _grouped(labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
    return grouped_folds([str(k) for k in labels_M], groups, folds=FOLDS, seed=seed)


def _grouped_to_choose(labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
    """Deal by recording where a class has enough of them left, else by clip.

    Choosing by clips may choose worse; what is claimed is scored on other recordings anyway.
    """
    try:
        return _grouped(labels_M, groups, seed)
    except NotEnoughDataError:
        return _at_random(labels_M, groups, seed)


def _at_random(labels_M: Indices, groups: Sequence[str], seed: int) -> Indices:
    """Deal by clip, as is often done: clips of one recording stand on both sides."""
    return random_folds([str(k) for k in labels_M], folds=FOLDS, seed=seed)


def _model(chosen: Contender, train: Table) -> Model:
    out_MK = chosen.out_of_fold_MK
    temperature = fit_temperature(out_MK, train.labels_M)
    least, farthest = unknown_thresholds(
        probabilities(out_MK, temperature),
        train.labels_M,
        chosen.fitted.novelty([train.vectors[name] for name in chosen.members]),
    )
    return Model(
        classes=train.classes,
        members=chosen.members,
        head=chosen.head,
        arrays=chosen.fitted.state(),
        temperature=temperature,
        unknown_probability=least,
        unknown_novelty=farthest,
        window_seconds=float(np.median(train.seconds_M)),
        card={},
    )


@contextmanager
def _timed(stages: list[Stage], name: str, predicted: float | None = None) -> Iterator[None]:
    started = time.perf_counter()
    yield
    stages.append(Stage(name, predicted, time.perf_counter() - started))
