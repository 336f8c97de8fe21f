"""``vidfit transcribe``: what is said in recordings, written down."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import On, Workers
from vidfit.cli.say import say


def transcribe(  # noqa: PLR0913  (the options of a command)
    recordings: Annotated[list[str], typer.Argument(help="Videos, files of sound, or folders.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the files. [default: beside each recording]"
        ),
    ] = None,
    format: Annotated[
        str, typer.Option(help="Files to write, of srt, vtt and json (the time of each word).")
    ] = "srt",
    model: Annotated[
        str, typer.Option(help="Folder of a model of faster-whisper, or its name on the hub.")
    ] = "whisper-tiny.en",
    language: Annotated[
        str, typer.Option(help="Code of what is spoken, such as de. [default: told from the sound]")
    ] = "",
    download: Annotated[bool, typer.Option("--download", help="Fetch the model.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over files of other content.")
    ] = False,
    workers: Workers = None,
    on: On = "here",
) -> None:
    """Write down what is said in videos, as subtitles that other commands read."""
    from vidfit.cli.progress import Bars
    from vidfit.errors import VidfitError
    from vidfit.files import claimed
    from vidfit.jobs.transcribe.options import TranscribeOptions
    from vidfit.jobs.transcribe.run import recordings_in, run_transcribe
    from vidfit.jobs.transcribe.terminal import lines_of

    paths: list[str] = []
    left: list[str] = []
    for name in recordings:
        found, beside = recordings_in(Path(name)) if Path(name).is_dir() else ([name], [])
        paths += found
        left += beside
    formats = tuple(part.strip() for part in format.split(",") if part.strip())
    options = TranscribeOptions(output, formats, model, language, download, replace, workers, on)
    with claimed(output) if output else nullcontext(), Bars() as bars:
        done = run_transcribe(paths, options, bars)
    for line in lines_of(done, left):
        say(line)
    if not done.transcripts:
        raise VidfitError("no recording could be written down")
