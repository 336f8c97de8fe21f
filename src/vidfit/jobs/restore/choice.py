"""Which way is chosen, and what is claimed of it: recordings are judged by a choice without them.

Shape letters: R recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidfit.contracts import Estimate
from vidfit.jobs.restore.value import (
    ALIGNED,
    BICUBIC,
    CHOSEN,
    FRAME,
    LEARNED,
    NETWORK_OF,
    WayRow,
)
from vidfit.metrics.resampled import mean_interval
from vidfit.pixels.restore.measured import FIGURES, RestoreFigures

Sheet = Mapping[str, Mapping[str, RestoreFigures]]
"""Recording -> way -> its figures."""


def way_of(sheet: Sheet, recordings: Sequence[str] = ()) -> str:
    """Return the way that some recordings speak for; without any, all of them.

    Of the ways that flicker no more than bicubic, the one nearest to the truth; where all flicker
    more, the one that flickers least. Neighbours cost a network of their own and their motion: they
    are taken only where they are nearer to the truth for certain.
    """
    asked = list(recordings) or list(sheet)

    def mean(way: str, figure: str) -> float:
        return interval([getattr(sheet[r][way], figure) for r in asked], asked).value

    known = {way: mean(way, "warping_levels") for way in LEARNED}
    most = mean(BICUBIC, "warping_levels")
    if not np.isfinite(most):  # nothing moves that could be followed
        return FRAME
    of_frame = [way for way in LEARNED if NETWORK_OF[way] == FRAME]
    calm = [way for way in of_frame if known[way] <= most]
    best = (
        max(calm, key=lambda way: mean(way, "psnr_luma"))
        if calm
        else min(of_frame, key=lambda way: known[way])
    )
    nearer = len(asked) > 1 and paired(sheet, ALIGNED, best, asked).low > 0
    return ALIGNED if nearer and known[ALIGNED] <= most else best


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
