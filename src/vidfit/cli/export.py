"""``vidfit export``: a model for programs without vidfit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vidfit.cli.say import say
from vidfit.cli.use import OwnInModel

if TYPE_CHECKING:
    from vidfit.jobs.export.run import Exported


def export(
    model: Annotated[
        Path, typer.Argument(help="Model directory that fit, fuse, train or compress wrote.")
    ],
    format: Annotated[
        Literal["onnx", "openvino", "safetensors"],
        typer.Option("--format", help="Graphs that run, or weights that torch reads."),
    ] = "onnx",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the files. [default: MODEL-FORMAT]"),
    ] = None,
    backbone: OwnInModel = None,
) -> None:
    """Write a model as ONNX, OpenVINO or safetensors, compared with vidfit's own answers."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.export.run import run_export

    folder = output or model.with_name(f"{model.name}-{format}")
    with Bars() as bars:
        found = run_export(model, folder, format, tuple(backbone or ()), bars)
    show_export(found)


def show_export(found: Exported) -> None:
    """Print each file with its difference to vidfit, and what could not be written."""
    for name, parity in found.parity.items():
        differs = f"differs from vidfit by {parity:.1e}" if parity else "the same to the bit"
        say(f"{name:<32} {differs}")
    for note in found.notes:
        say(f"Note     {note}")
    say(f"Card     {found.directory / 'README.md'}")
    say(f"Export   {found.directory}")
