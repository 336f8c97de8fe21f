"""Options that several commands have, and where their output goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vidfit.errors import VidfitError
from vidfit.shown import name_of


def _allow(ctx: typer.Context, urls: list[str] | None) -> list[str] | None:
    """Let lists name these addresses, and no others."""
    from vidfit.video.policy import enforced, in_force

    try:
        ctx.with_resource(enforced(replace(in_force(), urls=tuple(urls or ()))))
    except VidfitError as error:
        raise typer.BadParameter(str(error)) from error
    return urls


def _keep_below(ctx: typer.Context, folders: list[Path] | None) -> list[Path] | None:
    """Let lists name files below these folders, and no others."""
    from vidfit.video.policy import enforced, in_force

    ctx.with_resource(enforced(replace(in_force(), below=tuple(folders or ()))))
    return folders


Groups = Annotated[
    Path | None, typer.Option(help="File that maps clips to the recordings they are from.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Threads that decode and infer. [default: all cores]")
]
Own = Annotated[
    list[str] | None,
    typer.Option("--backbone", help="FILE.py:NAME of an encoder of your own in the plan."),
]
On = Annotated[
    str, typer.Option(help="Where to run: here, spark, or a cluster such as spark://HOST:7077.")
]
AllowUrl = Annotated[
    list[str] | None,
    typer.Option(
        callback=_allow,
        help="Addresses that lists may name, by their beginning: https://HOST/; may be repeated.",
    ),
]
OnlyBelow = Annotated[
    list[Path] | None,
    typer.Option(
        callback=_keep_below, help="Folder that files in lists must lie in; may be repeated."
    ),
]


def output_of(clips: str) -> Path:
    """Return the folder that a command writes to where none is named."""
    return Path("runs") / (Path(name_of(clips)).stem or "clips")
