"""``vidfit sample``: draw clips with a model of ``vidfit fit --task generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.say import say


def sample(
    model: Annotated[Path, typer.Argument(help="Folder of a model of vidfit fit --task generate.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the clips and a contact sheet.")
    ],
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Clips that are drawn.")] = 16,
    label: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Class of all of them.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same clips.")] = 0,
) -> None:
    """Draw new clips with a generator, as videos and a contact sheet."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.generate.sample import run_sample

    with Bars() as bars:
        drawn = run_sample(model, output, count=count, label=label, seed=seed, progress=bars)
    say(f"Clips    {drawn.paths[0]} to {drawn.paths[-1].name}")
    say(f"Sheet    {drawn.sheet}")
