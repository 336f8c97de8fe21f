"""``vidfit fit CLIPS --task forecast``: the frames ahead, with a probability for each pixel."""

from __future__ import annotations

from pathlib import Path

from vidfit.cli.options import output_of
from vidfit.cli.say import say, say_lines


def fit_forecaster(  # noqa: PLR0913  (the options of a command)
    clips: str,
    output: Path | None,
    *,
    as_json: bool,
    groups: Path | None,
    seen: int | None,
    ahead: int | None,
    side: int | None,
    cpu_seconds: float | None,
) -> None:
    """Fit a forecaster and say how well it does."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.forecast.options import ForecastOptions
    from vidfit.jobs.forecast.run import run_forecast
    from vidfit.jobs.forecast.terminal import lines

    usual = ForecastOptions()
    options = ForecastOptions(
        groups, seen or usual.seen, ahead or usual.ahead, side, cpu_seconds or usual.cpu_seconds
    )
    folder = output or output_of(clips)
    with Bars() as bars:
        report = run_forecast(clips, folder, options, bars)
    if as_json:
        say_lines((folder / "report.json").read_text(encoding="utf-8").rstrip())
        return
    for line in lines(report):
        say(line)
    say(f"Report   {folder / 'report.html'}")
    say(f"Model    {folder / 'model'}")
    say(f"Use      vidfit predict {folder / 'model'} VIDEO --format mp4,png,npy,csv")
