"""``vidfit push`` and ``vidfit pull``: models to and from other places."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.say import say
from vidfit.cli.use import OwnInModel


def push(
    model: Annotated[
        Path, typer.Argument(help="Model directory that fit, fuse, train or compress wrote.")
    ],
    destination: Annotated[str, typer.Argument(help="Folder, URL such as s3://, or hf:org/name.")],
) -> None:
    """Copy a model and its card to where others can pull it from."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.exchange.run import run_push

    with Bars() as bars:
        run_push(model, destination, bars)
    say(f"Pushed   {destination}")
    say(f"Get it   vidfit pull {destination} {model.name}")


def pull(
    source: Annotated[str, typer.Argument(help="Folder, URL such as s3://, or hf:org/name.")],
    directory: Annotated[Path, typer.Argument(help="Folder for the model.")],
    backbone: OwnInModel = None,
) -> None:
    """Copy a model from another place; nothing of it appears unless all of it is whole."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.exchange.run import run_pull

    with Bars() as bars:
        run_pull(source, directory, bars, tuple(backbone or ()))
    say(f"Model    {directory}")
    say(f"Use it   vidfit predict {directory} video.mp4")
