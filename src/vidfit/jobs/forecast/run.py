"""Learn to say the frames ahead, and measure it on recordings that were not seen.

A job of its own, not a row of `vidfit.tasks`: there frozen encoders look at a clip, and here a
network learns from its frames. What holds for tasks holds here: whole recordings are put aside,
figures have intervals over recordings, baselines stand beside, and neither a line of calibration
nor a network is chosen by the recording that it is measured on.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidfit.errors import NotEnoughDataError
from vidfit.files import claimed
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.sources import GreySource, open_source
from vidfit.jobs.forecast.value import ForecastNetworkFacts, ForecastReport
from vidfit.jobs.forecast.written import report_facts, shown_windows, write_report
from vidfit.pixels.forecast.fitting import (
    FittedForecasters,
    ForecastRun,
    LearnedForecaster,
    fit_forecasters,
)
from vidfit.pixels.forecast.grey import DrawFromVideos, GreyVideo, windows_of
from vidfit.pixels.forecast.kept import KeptForecaster, save_forecaster
from vidfit.progress import SILENT, Progress
from vidfit.runtime import malloc
from vidfit.shown import counted
from vidfit.study.interrupts import stopped_by_signals

HELD_OUT, LEAST_HELD_OUT = 1 / 3, 2
_MOST_WINDOWS, _MOST_PIXELS = 512, 20_000_000
_CHECKPOINTS = "checkpoints"


def run_forecast(
    source: str | Path,
    output: Path,
    options: ForecastOptions = ForecastOptions(),
    progress: Progress | None = None,
) -> ForecastReport:
    """Fit a forecaster; ``output`` gets ``model/``, ``report.json`` and ``report.html``.

    An interrupted run goes on from its last checkpoint, to the bit.

    Parameters
    ----------
    source
        Folder or list of clips, or a file of sequences; see `vidfit.jobs.forecast.sources`.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; the same call goes on.
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If fewer than three recordings can be used.
    StoreError
        If the output cannot be written, or holds another run.
    """
    progress = progress or SILENT
    options.check()
    with claimed(output):
        found = open_source(source, output, options, progress)
        learn_from, aside = _split(found.videos, options.seed)
        run = _run_of(found, learn_from, aside, output, options)
        malloc.tune()
        with stopped_by_signals() as stop:
            fitted = fit_forecasters(run, stop, progress)
        if fitted is None:
            raise KeyboardInterrupt
        report = _report(str(source), found, run, fitted, len(learn_from))
        _keep(report, fitted, output)
        seen = shown_windows(run.held_out, fitted, options.seen)
        write_report(report, seen, output)
        shutil.rmtree(output / _CHECKPOINTS, ignore_errors=True)
    return report


def _split(
    videos: tuple[GreyVideo, ...], seed: int
) -> tuple[dict[str, list[GreyVideo]], list[GreyVideo]]:
    """Return videos to learn from by recording, and those that are put aside.

    The data's own test set is put aside where it has one, else a third of the recordings.
    """
    recordings: dict[str, list[GreyVideo]] = {}
    for video in videos:
        recordings.setdefault(video.recording, []).append(video)
    names = sorted(recordings)
    own = {video.recording for video in videos if video.held_out}
    if len(own) < LEAST_HELD_OUT or len(own) == len(names):
        count = max(LEAST_HELD_OUT, round(HELD_OUT * len(names)))
        own = {names[i] for i in np.random.default_rng(seed).permutation(len(names))[:count]}
    if len(names) <= LEAST_HELD_OUT:
        raise NotEnoughDataError(
            f"the clips are of {counted(len(names), 'recording')}; {LEAST_HELD_OUT} are put aside "
            "to measure on, and one or more to learn from are needed: give clips of more "
            "recordings, or say with --groups which clip is of which"
        )
    learned = {name: recordings[name] for name in names if name not in own}
    return learned, [video for name in names if name in own for video in recordings[name]]


def _run_of(
    found: GreySource,
    learn_from: dict[str, list[GreyVideo]],
    aside: list[GreyVideo],
    output: Path,
    options: ForecastOptions,
) -> ForecastRun:
    frames = options.seen + options.ahead
    each = options.ahead * found.side_pixels**2
    most = int(np.clip(_MOST_PIXELS // each, 32, _MOST_WINDOWS))
    return ForecastRun(
        DrawFromVideos([video for of in learn_from.values() for video in of], frames),
        windows_of(aside, frames, most),
        found.side_pixels,
        options.seen,
        options.ahead,
        options.cpu_seconds,
        options.steps,
        options.all_networks,
        output / _CHECKPOINTS,
        found.digest,
        options.seed,
    )


def _report(
    source: str, found: GreySource, run: ForecastRun, fitted: FittedForecasters, learned: int
) -> ForecastReport:
    networks = fitted.learned.values()
    return ForecastReport(
        data=source,
        recordings=learned,
        held_out=len(set(run.held_out.groups)),
        clips=len(found.videos),
        windows=len(run.held_out.groups),
        seen=run.seen,
        ahead=run.ahead,
        side_pixels=run.side_pixels,
        copies=next(iter(networks)).sizes.copies,
        networks=tuple(map(_facts, networks)),
        table=fitted.table,
        notes=found.notes,
        failures=found.failures,
    )


def _facts(one: LearnedForecaster) -> ForecastNetworkFacts:
    loss = float(np.mean(one.losses[-100:]))
    return ForecastNetworkFacts(
        one.sizes.network, one.parameters, len(one.losses), one.cpu_seconds, loss
    )


def _keep(report: ForecastReport, fitted: FittedForecasters, output: Path) -> None:
    chosen = fitted.learned[report.table.chosen]
    short = replace(report, failures=())
    card = {"report": report_facts(short)}
    kept = KeptForecaster(chosen.sizes, chosen.network, report.table.platt, card)
    save_forecaster(kept, output / "model")
