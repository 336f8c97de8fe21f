"""``vidfit fit CLIPS --task generate``, what draws more clips of a kind, and pools of such."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vidfit.cli.options import output_of
from vidfit.cli.pixels.fitted import say_fitted
from vidfit.cli.say import say

if TYPE_CHECKING:
    from vidfit.jobs.generate.options import GenerateOptions


def options_of(
    *, groups: Path | None, side: int | None, cpu_seconds: float | None
) -> GenerateOptions:
    """Return the options of the job."""
    from vidfit.jobs.generate.options import GenerateOptions

    usual = GenerateOptions()
    return GenerateOptions(
        groups=groups,
        side=usual.side if side is None else side,
        cpu_seconds=usual.cpu_seconds if cpu_seconds is None else cpu_seconds,
    )


def fit_generator(
    clips: str,
    output: Path | None,
    *,
    as_json: bool,
    **given: Any,  # noqa: ANN401  (as `options_of` takes them)
) -> None:
    """Learn a generator and say how its clips lie beside real ones."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.generate.run import run_generate
    from vidfit.jobs.generate.terminal import lines

    folder = output or output_of(clips)
    with Bars() as bars:
        report = run_generate(clips, folder, options_of(**given), bars)
    say_fitted(folder, lines(report), f"sample {folder / 'model'} -o FOLDER", as_json=as_json)


def fuse_generators(clips: Sequence[str], output: Path | None, *, beside: str | None) -> None:
    """Pool generators and say whether they draw better together."""
    if beside is None:
        raise typer.BadParameter("give real clips that choose and judge, with --clips FOLDER")
    from vidfit.cli.progress import Bars
    from vidfit.jobs.generate.fuse import run_fuse_generators
    from vidfit.jobs.generate.terminal import pool_lines

    folder = output or output_of(beside)
    with Bars() as bars:
        pool = run_fuse_generators([Path(model) for model in clips], beside, folder, progress=bars)
    for line in pool_lines(pool):
        say(line)
    say(f"Report   {folder / 'report.json'}")
    say(f"Samples  {folder / 'samples.png'}")
    say(f"Model    {folder / 'model'}")
    say(f"Use      vidfit sample {folder / 'model'} -o FOLDER")
