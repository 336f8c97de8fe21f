"""Learn to draw clips of a kind, stage by stage, and measure what is drawn beside real clips."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import Frames
from vidfit.files import claimed, write_whole
from vidfit.jobs.generate.chain import (
    DRAWS,
    JUDGING,
    VAE,
    Measuring,
    StageChain,
    best_member,
    combine,
    members_of,
)
from vidfit.jobs.generate.makers import SHEET, SHOWN, Makers
from vidfit.jobs.generate.material import GeneratorClips, read_material
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.page import write_generation
from vidfit.jobs.generate.value import GenerationReport, NearPair
from vidfit.jobs.generate.written import report_facts
from vidfit.metrics.generated import Points, distances
from vidfit.pixels.generate.kept import save_generator
from vidfit.pixels.generate.looks import gained, scored
from vidfit.pixels.generate.members import ClipDrawer, drawn_labels
from vidfit.pixels.generate.nearest import nearest_learned
from vidfit.pixels.generate.sheet import contact_sheet, strip_png
from vidfit.pixels.generate.vae import VideoVae, active_dimensions, decibels, posteriors
from vidfit.progress import SILENT, Progress
from vidfit.runtime import malloc
from vidfit.study.interrupts import stopped_by_signals

_PAIRS = 8
"""Drawn clips that are shown beside the nearest that were learned from."""


def run_generate(
    source: str | Path,
    output: Path,
    options: GenerateOptions = GenerateOptions(),
    progress: Progress | None = None,
) -> GenerationReport:
    """Learn a generator and write it to ``output/model``, with ``report.html`` and samples.

    An interrupted run goes on from its last checkpoint, to the bit.

    Parameters
    ----------
    source
        Folder or list of clips; labels, where there are, can be asked for when drawing.
    output
        Folder for the model, the report, the contact sheet and the checkpoints.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; the same call goes on.
    ManifestError
        If the clips' list cannot be understood.
    ModelError
        If the model cannot be written.
    NotEnoughDataError
        If there are too few clips, or all look the same.
    StoreError
        If the output cannot be written, or holds another run.
    """
    progress = progress or SILENT
    options.check()
    with claimed(output):
        material = read_material(source, output, options, progress)
        malloc.tune()
        began = time.process_time()
        measuring = Measuring(material.learned)
        with stopped_by_signals() as stop:
            makers = Makers(material, options, output, stop, progress)
            chain = StageChain(makers, measuring, measuring.real(material.choosing))
            vae = members_of(makers, chain)
            combine(chain)
        report = _judged(_Tried(str(source), makers, chain, vae), began)
        best, card = chain.drawers[chain.best], report_facts(report)
        save_generator(best, material.sizes, {"report": card}, output / "model")
        write_whole(output / SHEET, report.sheet)
        write_generation(report, output)
        shutil.rmtree(output / "checkpoint", ignore_errors=True)
    return report


@dataclass(frozen=True)
class _Tried:
    """All that was learned."""

    source: str
    makers: Makers
    chain: StageChain
    vae: VideoVae


def _judged(tried: _Tried, began: float) -> GenerationReport:
    """Measure the result, what it is made of and real clips on those that judge."""
    makers, chain, material = tried.makers, tried.chain, tried.makers.material
    measuring = chain.measuring
    real = measuring.real(material.judging)
    best, member = chain.drawers[chain.best], chain.drawers[best_member(chain)]
    count = len(real.groups)
    draws = {
        drawer.name: measuring.draws(drawer, count, makers, JUDGING)
        for drawer in (best, member, chain.drawers[VAE])
    }
    scores = {name: scored(real, points) for name, points in draws.items()}
    nearest, _ = nearest_learned(
        measuring.learned_ND, material.learned.names, np.concatenate(draws[best.name]),
        real.points_ND,
    )  # fmt: skip
    shown, pairs = _shown(best, material, measuring)
    mean_NL, _ = posteriors(tried.vae, material.learned, makers.classes)
    learning = sum(makers.seconds.values())
    return GenerationReport(
        data=tried.source,
        encoder=measuring.looks.name,
        sizes=material.sizes.facts,
        learned=len(material.learned),
        choosing=len(material.choosing),
        judging=count,
        recordings=_recordings(material),
        stages=tuple(chain.stages),
        chosen=best.name,
        member=member.name,
        result=scores[best.name],
        of_member=scores[member.name],
        of_vae=scores[VAE],
        real=scored(real, real_draws(measuring.learned_ND, count, makers.options.seed)),
        over_member=gained(real, draws[best.name], draws[member.name]),
        over_vae=gained(real, draws[best.name], draws[VAE]),
        nearest=nearest,
        active=active_dimensions(mean_NL),
        latent=material.sizes.latent,
        decibels=decibels(tried.vae, material.judging, makers.classes),
        learning_seconds=learning,
        measuring_seconds=max(0.0, time.process_time() - began - learning),
        failures=material.failures,
        notes=material.notes,
        pairs=pairs,
        sheet=contact_sheet(shown),
    )


def real_draws(learned_ND: Points, count: int, seed: int) -> list[Points]:
    """Return sets of real clips that were learned from, as large as those that are judged."""
    rng = np.random.default_rng(seed)
    size = min(count, len(learned_ND))
    return [learned_ND[rng.permutation(len(learned_ND))[:size]] for _ in range(DRAWS)]


def _recordings(material: GeneratorClips) -> tuple[int, int, int]:
    learned, choosing, judging = (
        len(set(bank.groups)) for bank in (material.learned, material.choosing, material.judging)
    )
    return learned, choosing, judging


def _shown(
    best: ClipDrawer, material: GeneratorClips, measuring: Measuring
) -> tuple[Frames, tuple[NearPair, ...]]:
    """Return clips that are drawn to be looked at, and the nearest that were learned from."""
    labels = drawn_labels(SHOWN, material.sizes, 0)
    drawn = best.draw(labels, 0)
    points = measuring.place(drawn)
    apart = distances(points, measuring.learned_ND)
    found = []
    for row in np.argsort(apart.min(axis=1))[:_PAIRS]:
        near = int(apart[row].argmin())
        found.append(
            NearPair(
                strip_png(drawn[row]),
                strip_png(material.learned.frames_NTSSC[near]),
                material.learned.names[near],
                float(apart[row, near]),
            )
        )
    return drawn, tuple(found)
