"""``vidfit demo``: clips of camera motions, and a model of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import Workers
from vidfit.cli.say import say
from vidfit.files import claimed


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for clips, model and report.")
    ] = Path("demo"),
    workers: Workers = None,
) -> None:
    """Build clips of camera motions from real footage and fit a model on them."""
    from vidfit.cli.fit import show_report
    from vidfit.cli.progress import Bars
    from vidfit.demo import BACKBONES, build_demo
    from vidfit.jobs.fit.options import FitOptions
    from vidfit.jobs.fit.run import run_fit

    with claimed(output), Bars() as bars:
        clips = build_demo(output / "clips", progress=bars)
        report = run_fit(clips, output, FitOptions(BACKBONES, workers=workers), bars)
    show_report(report, output)
    say(f"See it   vidfit serve {output} {output / 'clips'}")
