"""Which way is chosen, and what is claimed of it: recordings are judged by a choice without them.

Shape letters: R recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidfit.contracts import Estimate
from vidfit.jobs.restore.value import ALIGNED, BICUBIC, CHOSEN, FRAME, STEADY, WayRow
from vidfit.metrics.resampled import mean_interval
from vidfit.pixels.restore.measured import FIGURES, RestoreFigures

Sheet = Mapping[str, Mapping[str, RestoreFigures]]
"""Recording -> way -> its figures."""


def way_of(sheet: Sheet, recordings: Sequence[str]) -> str:
    """Return the way that some recordings speak for.

    One frame, unless more is proven: steadied where that flickers less for certain and is not for
    certain farther from the truth; neighbours, which are to be found first, where they are nearer
    to the truth than that for certain. From one recording nothing is certain.
    """
    if len(recordings) < 2:
        return FRAME
    steadier = paired(sheet, FRAME, STEADY, recordings, "warping_levels")
    nearer = paired(sheet, STEADY, FRAME, recordings)
    best = STEADY if steadier.low > 0 and not nearer.high < 0 else FRAME
    return ALIGNED if paired(sheet, ALIGNED, best, recordings).low > 0 else best


def paired(
    sheet: Sheet, one: str, other: str, recordings: Sequence[str], figure: str = "psnr_luma"
) -> Estimate:
    """Return a figure of a way less that of another, its interval over recordings."""
    apart_R = [
        getattr(sheet[r][one], figure) - getattr(sheet[r][other], figure) for r in recordings
    ]
    return interval(apart_R, recordings)


def with_choice(sheet: Sheet) -> dict[str, dict[str, RestoreFigures]]:
    """Return the sheet with what is chosen for each recording by the others."""
    return {
        name: {**ways, CHOSEN: ways[way_of(sheet, [r for r in sheet if r != name])]}
        for name, ways in sheet.items()
    }


def rows_of(sheet: Sheet) -> tuple[WayRow, ...]:
    """Return the figures of each way, a recording counting as one."""
    recordings = list(sheet)
    rows = []
    for name in sheet[recordings[0]]:
        figures = {
            figure: interval([getattr(sheet[r][name], figure) for r in recordings], recordings)
            for figure in FIGURES
        }
        rows.append(WayRow(name, figures, paired(sheet, name, BICUBIC, recordings)))
    return tuple(rows)


def interval(values_R: Sequence[float], recordings: Sequence[str]) -> Estimate:
    """Return a mean over recordings; those without a figure are left out."""
    there = [(v, r) for v, r in zip(values_R, recordings, strict=True) if np.isfinite(v)]
    if not there:
        return Estimate(float("nan"), float("nan"), float("nan"))
    return mean_interval([v for v, _ in there], [r for _, r in there])
