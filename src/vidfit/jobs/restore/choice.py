"""Which way is chosen, and what is claimed of it: recordings are judged by a choice without them.

Shape letters: R recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidfit.contracts import Estimate
from vidfit.jobs.restore.value import BICUBIC, CHOSEN, FRAME, WayRow
from vidfit.metrics.resampled import mean_interval
from vidfit.pixels.restore.enlarge import FILTERS
from vidfit.pixels.restore.measured import FIGURES, RestoreFigures

Sheet = Mapping[str, Mapping[str, RestoreFigures]]
"""Recording -> way -> its figures."""


def filter_of(sheet: Sheet, recordings: Sequence[str] = ()) -> str:
    """Return the filter that is nearer to the truth, bicubic where both are as near.

    Parameters
    ----------
    recordings
        That count; without any, all of them.
    """
    return max(FILTERS, key=lambda by: _mean(sheet, by, "psnr_luma", recordings))


def way_of(sheet: Sheet, recordings: Sequence[str] = ()) -> str:
    """Return the network's way that some recordings speak for; without any, all of them.

    Of the ways that flicker no more than bicubic, the one nearest to the truth; where all flicker
    more, the one that flickers least.
    """
    ways = [way for way in next(iter(sheet.values())) if way not in (*FILTERS, CHOSEN)]
    known = {way: _mean(sheet, way, "warping_levels", recordings) for way in ways}
    most = _mean(sheet, BICUBIC, "warping_levels", recordings)
    if not np.isfinite(most):  # nothing moves that could be followed
        return FRAME
    calm = [way for way in ways if known[way] <= most]
    if calm:
        return max(calm, key=lambda way: _mean(sheet, way, "psnr_luma", recordings))
    return min(ways, key=lambda way: known[way])


def paired(sheet: Sheet, one: str, other: str, figure: str = "psnr_luma") -> Estimate:
    """Return a figure of a way less that of another, its interval over recordings."""
    return interval(
        [getattr(of[one], figure) - getattr(of[other], figure) for of in sheet.values()],
        list(sheet),
    )


def with_choice(sheet: Sheet) -> dict[str, dict[str, RestoreFigures]]:
    """Return the sheet with what is chosen for each recording by the others."""
    return {
        name: {**ways, CHOSEN: ways[way_of(sheet, _others(sheet, name))]}
        for name, ways in sheet.items()
    }


def over_filter(sheet: Sheet) -> Estimate:
    """Return the PSNR of what is chosen less that of the filter, both chosen by the others."""
    apart_R = [
        ways[way_of(sheet, others)].psnr_luma - ways[filter_of(sheet, others)].psnr_luma
        for name, ways in sheet.items()
        for others in [_others(sheet, name)]
    ]
    return interval(apart_R, list(sheet))


def rows_of(sheet: Sheet) -> tuple[WayRow, ...]:
    """Return the figures of each way, a recording counting as one."""
    recordings = list(sheet)
    rows = []
    for name in sheet[recordings[0]]:
        figures = {
            figure: interval([getattr(sheet[r][name], figure) for r in recordings], recordings)
            for figure in FIGURES
        }
        rows.append(WayRow(name, figures, paired(sheet, name, BICUBIC)))
    return tuple(rows)


def interval(values_R: Sequence[float], recordings: Sequence[str]) -> Estimate:
    """Return a mean over recordings; those without a figure are left out."""
    there = [(v, r) for v, r in zip(values_R, recordings, strict=True) if np.isfinite(v)]
    if not there:
        return Estimate(float("nan"), float("nan"), float("nan"))
    return mean_interval([v for v, _ in there], [r for _, r in there])


def _others(sheet: Sheet, name: str) -> list[str]:
    return [r for r in sheet if r != name]


def _mean(sheet: Sheet, way: str, figure: str, recordings: Sequence[str]) -> float:
    """Return the mean over recordings that have the figure, NaN of none."""
    values_R = [getattr(sheet[r][way], figure) for r in recordings or sheet]
    there = [v for v in values_R if np.isfinite(v)]
    return float(np.mean(there)) if there else float("nan")
