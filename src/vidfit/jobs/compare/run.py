"""Architectures on one data set: the same folds of recordings, and the same budget for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Backbone
from vidfit.errors import NotEnoughDataError
from vidfit.features import clip_digest
from vidfit.hardware import forget_peak, peak_bytes, resident_bytes
from vidfit.jobs.compare.architectures import RowPlan, row_plans
from vidfit.jobs.compare.costs import row_cost
from vidfit.jobs.compare.fits import (
    HEADS,
    LAYERS,
    MICRO_BATCH,
    RECIPE,
    WIDTH,
    FoldFit,
    RowBudget,
    fit_fold,
)
from vidfit.jobs.compare.kept import FinishedRow, key_of, read_row, write_row
from vidfit.jobs.compare.material import Material
from vidfit.jobs.compare.options import CompareOptions
from vidfit.jobs.compare.page import write_architectures
from vidfit.jobs.compare.table import FoundRows, judged
from vidfit.jobs.compare.value import ArchitectureTable
from vidfit.progress import Progress
from vidfit.runtime import malloc
from vidfit.shown import counted
from vidfit.study.candidates import Loaded
from vidfit.study.clipsets import frame_set
from vidfit.study.folds import Folds
from vidfit.study.measured import Measured, measure
from vidfit.study.opened import Study, open_study
from vidfit.study.options import SelectOptions
from vidfit.study.pretrained import Pretrained, read_pretrained
from vidfit.study.stages import one_blas_thread
from vidfit.study.subject import own_sight


def run_compare(
    source: str | Path,
    output: Path,
    options: CompareOptions = CompareOptions(),
    progress: Progress | None = None,
) -> ArchitectureTable:
    """Compare architectures on clips with one class each, frozen and trained.

    ``output`` gets ``architectures.html`` and ``.json``, ``rows/`` with what is finished, and
    ``features/`` and ``frames/``, which later runs share. The same call goes on where one was
    interrupted.

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
        If no encoder runs.
    ModelError
        If the folder of pretrained weights holds none.
    StoreError
        If a disk is full.
    """
    options.check()
    pretrained = read_pretrained(options.pretrained) if options.pretrained else None
    study = open_study(source, output, options, progress, only_one_class="compare")
    asked = SelectOptions(options.backbones, options.groups, workers=options.workers)
    measured = measure(study, study.to_learn, asked, beside=_all)
    material = _material(study, measured, options, pretrained)
    rows = _rows(options, measured)
    budget = RowBudget(options.cpu_seconds / len(np.unique(material.folds_M)), pretrained)
    if pretrained:
        study.notes.extend(_seen_before(material, pretrained))
    work = _Work(study, material, budget, options)
    with study.timed("learn"), one_blas_thread():
        finished = [work.finished(row) for row in rows]
    figures = judged(study, material, finished, options.metric)
    with study.timed("measure costs"):
        clips, classes = material.table.clips, len(material.table.classes)
        costs = [row_cost(row, measured.candidates, clips, material.seen, classes) for row in rows]
    table = FoundRows(
        study, measured, material, options, pretrained, rows, finished, costs, figures
    ).table()
    write_architectures(table, output)
    return table


def _all(candidates: Sequence[Loaded]) -> list[Backbone]:
    """Return all encoders: each sees all clips, so that they share the decode."""
    return [candidate.backbone for candidate in candidates]


def _rows(options: CompareOptions, measured: Measured) -> list[RowPlan]:
    """Return the rows; over tokens of an algorithm no architecture learns."""
    networks = [c.name for c in measured.candidates if c.backbone.spec.architecture != "algorithm"]
    return row_plans(options.architectures, [c.name for c in measured.candidates], networks)


def _material(
    study: Study, measured: Measured, options: CompareOptions, pretrained: Pretrained | None
) -> Material:
    """Return what all rows learn from: clips that every row can see, dealt to folds."""
    seen = own_sight(pretrained.facts.side_pixels if pretrained else options.side_pixels)
    with study.timed("look at clips"):
        whole, tally = study.table(measured.to_learn, _all(measured.candidates), steps=True)
        table = study.readable(whole, tally, measured.able, measured.manifest)
        bare = [clip for clip in study.manifest.clips if clip.label is None]
        asked = [*table.clips, *bare]
        ready = frame_set(asked, seen, study.output / "frames", study.place, study.progress)
    if ready.clips[: len(table.clips)] != table.clips:
        raise NotEnoughDataError(
            f"{counted(len(ready.failures), 'clip')} could be read at one time and not at "
            "another; compare "
            "again, when the files are at rest"
        )
    folds = Folds(table.classes, study.notes)
    return Material(
        table,
        ready.set,
        tuple(clip.recording for clip in ready.clips),
        tuple(clip.text for clip in ready.clips),
        seen,
        folds.by_recording(table.labels_M, table.groups, 0),
    )


def _seen_before(material: Material, pretrained: Pretrained) -> list[str]:
    """Say how many of the clips pretraining has seen, without their labels."""
    known = set(pretrained.facts.digests)
    count = sum(clip_digest(clip) in known for clip in material.table.clips)
    if not count:
        return []
    return [
        f"Pretraining has seen {count} of the {counted(len(material.table.clips), 'clip')}, "
        "those that are "
        "answered among them, without their labels: self-supervised rows may be flattered."
    ]


@dataclass(frozen=True)
class _Work:
    """Rows that learn, or are read from disk where they have."""

    study: Study
    material: Material
    budget: RowBudget
    options: CompareOptions

    def finished(self, row: RowPlan) -> FinishedRow:
        """Return what a row came to."""
        table = self.material.table
        folder = self.study.output / "rows"
        path = folder / f"{key_of(row, self._facts(row))}.npz"
        known = read_row(path, (len(table.clips), len(table.classes)))
        if known is not None:
            self.study.progress.note(f"{row.name}: finished before")
            return known
        found = self._learned(row)
        write_row(found, path)
        return found

    def _learned(self, row: RowPlan) -> FinishedRow:
        material, table = self.material, self.material.table
        answers_MK = np.zeros((len(table.clips), len(table.classes)), np.float32)
        parts = list(material.parts())
        fits: list[FoldFit] = []
        self.study.progress.start(row.name, len(parts))
        malloc.give_back()
        forget_peak()
        held_bytes = resident_bytes()
        for part in parts:
            fit = fit_fold(row, part, material, self.budget)
            answers_MK[part.test_M] = fit.answers_MK
            fits.append(fit)
            self.study.progress.advance()
        return FinishedRow(
            answers_MK,
            sum(fit.seconds for fit in fits),
            sum(fit.blind_seconds for fit in fits),
            tuple(fit.epochs for fit in fits),
            max(0, peak_bytes() - held_bytes),
            fits[0].parameters,
        )

    def _facts(self, row: RowPlan) -> dict[str, object]:
        """Return all that the answers of a row follow from."""
        table, pretrained = self.material.table, self.budget.pretrained
        blind = row.how.startswith("self") and pretrained
        return {
            "clips": [clip_digest(clip) for clip in table.clips],
            "labels": table.labels_M.tolist(),
            "folds": self.material.folds_M.tolist(),
            "groups": table.groups,
            "texts": self.material.texts_A,
            "recordings": self.material.recordings_A,
            "cpu_seconds": self.options.cpu_seconds,
            "frames": asdict(self.material.seen),
            "pretrained": asdict(pretrained.facts) if blind and pretrained else None,
            "size": (WIDTH, LAYERS, HEADS, MICRO_BATCH),
            "recipe": asdict(RECIPE),
        }
