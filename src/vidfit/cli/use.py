"""The command that uses a model, as a user can type it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.say import say
from vidfit.documents import json_in

OwnInModel = Annotated[
    list[str] | None,
    typer.Option("--backbone", help="FILE.py:NAME of an encoder of your own in the model."),
]
"""The option of commands that open a model."""


def say_use(model: Path, asked: Sequence[str] | None = None, *, consent: bool = False) -> None:
    """Print how to use a model, with the files of one's own encoders that it needs.

    Parameters
    ----------
    asked
        What was given as ``--backbone``.
    consent
        Whether it asks for consent.
    """
    own = "".join(f" --backbone {shlex.quote(name)}" for name in own_of(model, asked or ()))
    gate = " --i-have-consent PURPOSE" if consent else ""
    say(f"Use it   vidfit predict {shlex.quote(str(model))} video.mp4{own}{gate}")


def own_of(model: Path, asked: Sequence[str]) -> list[str]:
    """Return those of ``FILE.py:NAME`` without which the model's members cannot be restored."""
    from vidfit.backbones import RESTORE
    from vidfit.backbones.notation import plain_name, runs_a_file

    files = [name for name in asked if runs_a_file(name)]
    if not files:
        return []
    specs = sorted((model / "backbones").glob("*/spec.json"))
    families = {json_in(path.read_text(encoding="utf-8"))["family"] for path in specs}
    if not families <= set(RESTORE):  # predict says what such a file lacks
        return files
    modules = {RESTORE[family].partition(":")[0] for family in families}
    return [n for n in files if Path(plain_name(n).rpartition(":")[0]).stem in modules]
