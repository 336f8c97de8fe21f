"""``vidfit pretrain``: learn without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import AllowUrl, Groups, OnlyBelow, Workers, output_of
from vidfit.cli.say import say, say_lines
from vidfit.files import claimed


def pretrain(  # noqa: PLR0913  (the options of a command)
    clips: Annotated[str, typer.Argument(help="Folder or list of clips; no labels are needed.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for weights. [default: runs/NAME of CLIPS]"),
    ] = None,
    cpu_seconds: Annotated[
        float, typer.Option(min=1.0, help="Of the processor, for learning.")
    ] = 600.0,
    width: Annotated[int, typer.Option(min=8, help="Of the network.")] = 256,
    layers: Annotated[int, typer.Option(min=1, help="Of the network.")] = 1,
    side: Annotated[
        int, typer.Option(min=32, max=512, help="Pixels of a side of the frames.")
    ] = 112,
    groups: Groups = None,
    workers: Workers = None,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Learn from clips without labels, for train --from and compare --from."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.pretrain.clips import (
        FOLDER,
        ClipPretrainOptions,
        pretraining_lines,
        run_pretrain_clips,
    )

    options = ClipPretrainOptions(
        cpu_seconds, width, layers, side_pixels=side, groups=groups, workers=workers
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        found = run_pretrain_clips(clips, folder, options, bars)
    say_lines(pretraining_lines(found))
    say(f"Weights  {folder / FOLDER}")
