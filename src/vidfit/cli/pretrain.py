"""``vidfit pretrain``: learn without labels, from texts or from clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import AllowUrl, Groups, OnlyBelow, Workers, output_of
from vidfit.cli.say import say, say_lines
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.jobs.pretrain.clips import ClipPretrainOptions
    from vidfit.jobs.pretrain.options import PretrainOptions

_FROM_CLIPS = "video-text"


def pretrain(  # noqa: PLR0913  (the options of a command)
    source: Annotated[
        str,
        typer.Argument(
            help="Text files, subtitles, SQuAD JSON, tables, or a folder of them; of "
            "--network video-text a folder or list of clips, labels not needed."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for model and report. [default: runs/NAME of SOURCE]"
        ),
    ] = None,
    network: Annotated[
        str, typer.Option(help="What learns: gpt from texts, video-text from clips.")
    ] = "gpt",
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
        int | None,
        typer.Option(min=1, help="Of gpt: steps, whatever they take. [default: counted]"),
    ] = None,
    vocabulary: Annotated[int, typer.Option(min=257, help="Of gpt: pieces of words.")] = 2048,
    width: Annotated[
        int | None,
        typer.Option(
            min=4,
            help="Of the network: a multiple of 12; of clips of 4. [default: 192; of clips 256]",
        ),
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, help="Of the network. [default: 4; of clips 1]")
    ] = None,
    side: Annotated[
        int, typer.Option(min=32, max=512, help="Of clips: pixels of a side of the frames.")
    ] = 112,
    seed: Annotated[int, typer.Option(help="Of gpt: the same seed and steps learn the same.")] = 0,
    groups: Groups = None,
    workers: Workers = None,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Learn without labels: a language model from texts, or what train --from starts from."""
    folder = output or output_of(source)
    if network == _FROM_CLIPS:
        from vidfit.jobs.pretrain.clips import ClipPretrainOptions

        usual = ClipPretrainOptions()
        of_clips = ClipPretrainOptions(
            cpu_seconds, width or usual.width, layers or usual.layers, side_pixels=side,
            groups=groups, workers=workers,
        )  # fmt: skip
        _from_clips(source, folder, of_clips)
        return
    from vidfit.jobs.pretrain.options import PretrainOptions

    of_texts = PretrainOptions(
        network, test, classify=classify, cpu_seconds=cpu_seconds, steps=steps,
        vocabulary=vocabulary, width=width or PretrainOptions().width,
        layers=layers or PretrainOptions().layers, seed=seed,
    )  # fmt: skip
    _from_texts(source, folder, of_texts)


def _from_texts(source: str, folder: Path, options: PretrainOptions) -> None:
    from vidfit.cli.progress import Bars
    from vidfit.jobs.pretrain.run import run_pretrain
    from vidfit.jobs.pretrain.words import report_markdown

    with claimed(folder), Bars() as bars:
        found = run_pretrain(source, folder, options, bars)
    say_lines(report_markdown(found))
    say(f"Model    {folder / 'model'}")
    say(f"Report   {folder / 'pretraining.md'}")


def _from_clips(source: str, folder: Path, options: ClipPretrainOptions) -> None:
    from vidfit.cli.progress import Bars
    from vidfit.jobs.pretrain.clips import FOLDER, pretraining_lines, run_pretrain_clips

    with claimed(folder), Bars() as bars:
        found = run_pretrain_clips(source, folder, options, bars)
    say_lines(pretraining_lines(found))
    say(f"Weights  {folder / FOLDER}")
