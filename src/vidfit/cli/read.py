"""``vidfit fit FILE --task read``: a reader, and how well it does on articles it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidfit.cli.options import output_of
from vidfit.cli.say import say, say_lines
from vidfit.errors import VidfitError


def fit_reader(
    source: str,
    output: Path | None,
    *,
    backbone: Sequence[str] | None,
    holdout: float,
    download: bool,
    as_json: bool,
) -> None:
    """Train a reader and say how well it does."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.read.options import ReadOptions
    from vidfit.jobs.read.run import run_read
    from vidfit.jobs.read.terminal import lines
    from vidfit.jobs.read.written import REPORT

    usual = ReadOptions()
    first, *others = backbone or [usual.backbone]
    if others:
        raise VidfitError("a reader is made of one --backbone: minilm, hf:FOLDER or hf:NAME")
    options = ReadOptions(first, holdout=holdout or usual.holdout, download=download)
    folder = output or output_of(source)
    with Bars() as bars:
        report = run_read(source, folder, options, bars)
    if as_json:
        say_lines((folder / REPORT).read_text(encoding="utf-8").rstrip())
        return
    for line in lines(report):
        say(line)
    say(f"Model    {folder / 'model'}")
    say(f"Use      vidfit ask VIDEOS QUESTION --reader {folder / 'model'}")
