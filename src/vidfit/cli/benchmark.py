"""``vidfit benchmark``: what a model costs here, on every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.say import say, say_lines
from vidfit.cli.use import OwnInModel


def benchmark(  # noqa: PLR0913  (the options of a command)
    model: Annotated[Path, typer.Argument(help="Model directory that fit wrote.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the files. [default: the model's folder]"),
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="A clip: time its decoding and answer, too.")
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Measure torch.compile, too: a minute more.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Measuring of each batch on each engine.")] = 0.3,
    backbone: OwnInModel = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Time a model on every engine, beside the most that this machine can do."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.benchmark.options import BenchmarkOptions
    from vidfit.jobs.benchmark.run import run_benchmark
    from vidfit.jobs.benchmark.write import benchmark_json, benchmark_markdown

    options = BenchmarkOptions(video, compiled, seconds, tuple(backbone or ()))
    folder = output or model.resolve().parent
    with Bars() as bars:
        found = run_benchmark(model, folder, options, bars)
    if as_json:
        say_lines(benchmark_json(found).rstrip())
        return
    say_lines(benchmark_markdown(found))
    say_lines(f"\nFigures  {folder / 'benchmark.json'}")
    say(f"Picture  {folder / 'benchmark.svg'}")
