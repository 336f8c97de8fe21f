"""What was measured of a restorer, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vidfit.jobs.restore.value import RestoreReport
from vidfit.jobs.restore.words import decibels, plain, steadiness, verdict
from vidfit.report.wording import counted, duration

_FAILURES = 5


def lines(report: RestoreReport) -> Iterator[str]:
    """Yield the verdict, the figures of each way, and what was left out."""
    yield (
        f"{report.scale} times larger: {report.chosen}; {verdict(report)} "
        f"({counted(report.frames, 'frame')} of {counted(report.recordings, 'recording')})"
    )
    yield f"Small frames were made so: {report.degradation}"
    yield f"  {report.degradation_why}"
    for row in report.rows:
        figures = row.figures
        yield (
            f"  {row.name}: luma {decibels(figures['psnr_luma'])}, SSIM "
            f"{plain(figures['ssim_luma'], 3)}, warping error "
            f"{plain(figures['warping_levels'], 2)} levels"
        )
    yield report.why
    yield steadiness(report)
    yield (
        f"{counted(report.networks, 'network')} learned in {duration(report.cpu_seconds)} of the "
        "processor"
    )
    yield from (f"Note     {note}" for note in report.notes)
    if report.failures:
        yield f"{counted(len(report.failures), 'thing')} left out:"
        yield from (f"  {f.name}: {f.reason}" for f in report.failures[:_FAILURES])
        if len(report.failures) > _FAILURES:
            yield f"  and {len(report.failures) - _FAILURES} more, in report.json"
