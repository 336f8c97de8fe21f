"""``vidfit pretrain``: learn a language model from texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import output_of
from vidfit.cli.say import say, say_lines


def pretrain(  # noqa: PLR0913  (the options of a command)
    texts: Annotated[
        str, typer.Argument(help="Text files, subtitles, SQuAD JSON, tables, or a folder of them.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for model and report. [default: runs/NAME of TEXTS]"
        ),
    ] = None,
    network: Annotated[str, typer.Option(help="What learns: gpt.")] = "gpt",
    test: Annotated[
        Path | None,
        typer.Option(metavar="TEXTS", help="Held-out texts. [default: a tenth of the documents]"),
    ] = None,
    classify: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Labelled texts that the model is tried on."),
    ] = None,
    cpu_seconds: Annotated[
        float, typer.Option(min=1.0, help="Of the processor, for learning.")
    ] = 600.0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps, whatever they take. [default: counted]")
    ] = None,
    vocabulary: Annotated[int, typer.Option(min=257, help="Pieces of words.")] = 2048,
    width: Annotated[int, typer.Option(min=8, help="Of the network.")] = 192,
    layers: Annotated[int, typer.Option(min=1, help="Of the network.")] = 4,
    seed: Annotated[int, typer.Option(help="The same seed and steps learn the same.")] = 0,
) -> None:
    """Learn a language model; say what it is worth beside n-gram, xz and bz2."""
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.pretrain.options import PretrainOptions
    from vidfit.jobs.pretrain.run import run_pretrain
    from vidfit.jobs.pretrain.words import report_markdown

    options = PretrainOptions(
        network, test, classify=classify, cpu_seconds=cpu_seconds, steps=steps,
        vocabulary=vocabulary, width=width, layers=layers, seed=seed,
    )  # fmt: skip
    folder = output or output_of(texts)
    with claimed(folder), Bars() as bars:
        found = run_pretrain(texts, folder, options, bars)
    say_lines(report_markdown(found))
    say(f"Model    {folder / 'model'}")
    say(f"Report   {folder / 'pretraining.md'}")
