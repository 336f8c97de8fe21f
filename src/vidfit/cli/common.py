"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
