"""``vidfit fit CLIPS --task forecast``: the frames ahead, with a probability for each pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.cli.options import output_of
from vidfit.cli.pixels.fitted import say_fitted

if TYPE_CHECKING:
    from vidfit.jobs.forecast.options import ForecastOptions


def options_of(
    *,
    groups: Path | None,
    seen: int | None,
    ahead: int | None,
    side: int | None,
    cpu_seconds: float | None,
) -> ForecastOptions:
    """Return the options of the job."""
    from vidfit.jobs.forecast.options import ForecastOptions

    usual = ForecastOptions()
    return ForecastOptions(
        groups, seen or usual.seen, ahead or usual.ahead, side, cpu_seconds or usual.cpu_seconds
    )


def fit_forecaster(
    clips: str,
    output: Path | None,
    *,
    as_json: bool,
    **given: Any,  # noqa: ANN401  (as `options_of` takes them)
) -> None:
    """Fit a forecaster and say how well it does."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.forecast.run import run_forecast
    from vidfit.jobs.forecast.terminal import lines

    folder = output or output_of(clips)
    with Bars() as bars:
        report = run_forecast(clips, folder, options_of(**given), bars)
    say_fitted(
        folder,
        lines(report),
        f"predict {folder / 'model'} VIDEO --format mp4,png,npy,csv",
        as_json=as_json,
    )
