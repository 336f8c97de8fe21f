"""What was measured of forecasters, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vidfit.contracts import Estimate
from vidfit.jobs.forecast.value import ForecastReport
from vidfit.pixels.forecast.compare import ForecastRow
from vidfit.report.wording import counted, has_interval, percent

_FAILURES = 5


def lines(report: ForecastReport) -> Iterator[str]:
    """Yield the figures of all candidates, what was chosen, and what was left out."""
    table = report.table
    yield (
        f"{report.seen} grey frames of {report.side_pixels} x {report.side_pixels} seen, "
        f"{report.ahead} ahead; learned from {counted(report.recordings, 'recording')}, measured "
        f"on {counted(report.windows, 'window')} of {report.held_out} others"
    )
    yield from _table(table.rows)
    yield verdict(report)
    yield f"Kept     {table.chosen}, {report.chosen.cpu_seconds:.0f} s of learning"
    yield (
        f"Pixels between 5 and 95 %: probabilities off by {percent(table.before.unsure_error)} "
        f"before calibration, {percent(table.reliability.unsure_error)} after"
    )
    yield from (f"Note     {note}" for note in report.notes)
    if report.failures:
        yield f"{counted(len(report.failures), 'clip')} left out:"
        yield from (f"  {f.name}: {f.reason}" for f in report.failures[:_FAILURES])
        if len(report.failures) > _FAILURES:
            yield f"  and {len(report.failures) - _FAILURES} more, in report.json"


def verdict(report: ForecastReport) -> str:
    """Say whether the network is proven better than what needs none."""
    near = report.table.closest
    by = estimate(near.cross_entropy)
    share = f"{shares(near.share)} of what could be won"
    if report.table.proven:
        return (
            f"Better than every baseline: cross-entropy of a frame {by} below {near.over}, {share}"
        )
    return f"No gain over {near.over} is proven: cross-entropy of a frame lower by {by}, {share}"


def estimate(found: Estimate, digits: int = 1, *, signed: bool = False) -> str:
    """Return ``"10.6 [9.8, 11.4]"``."""
    sign = "+" if signed else ""
    value = f"{found.value:{sign}.{digits}f}"
    if not has_interval(found):
        return f"{value} (interval not measured)"
    return f"{value} [{found.low:{sign}.{digits}f}, {found.high:{sign}.{digits}f}]"


def shares(found: Estimate) -> str:
    """Return ``"12.3 % [8.1, 16.0]"``."""
    if not has_interval(found):
        return percent(found.value)
    return f"{percent(found.value)} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _table(rows: tuple[ForecastRow, ...]) -> Iterator[str]:
    wide = max(len(row.name) for row in rows)
    yield f"{'':{wide}}  {'MSE':>20}  {'SSIM':>20}  {'cross-entropy':>22}"
    for row in rows:
        tied = "  tied" if row.tied else ""
        yield (
            f"{row.name:{wide}}  {estimate(row.mse):>20}  {estimate(row.ssim, 3):>20}  "
            f"{estimate(row.cross_entropy):>22}{tied}"
        )
