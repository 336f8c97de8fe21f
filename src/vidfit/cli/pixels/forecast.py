"""``vidfit fit CLIPS --task forecast``: the frames ahead, with a probability for each pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.cli.options import output_of
from vidfit.cli.say import say, say_lines

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
    if as_json:
        say_lines((folder / "report.json").read_text(encoding="utf-8").rstrip())
        return
    for line in lines(report):
        say(line)
    say(f"Report   {folder / 'report.html'}")
    say(f"Model    {folder / 'model'}")
    say(f"Use      vidfit predict {folder / 'model'} VIDEO --format mp4,png,npy,csv")
