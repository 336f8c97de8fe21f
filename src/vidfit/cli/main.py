"""``vidfit fit``, ``vidfit predict``, ``vidfit demo``.

Only what parsing needs is imported here, so that ``vidfit --help`` answers at once.
"""

from __future__ import annotations

import errno
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from vidfit.errors import VidfitError

app = typer.Typer(
    help="Find the pretrained model that fits your videos, and run it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

P = ParamSpec("P")

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for model, report and features."),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Threads that decode and infer. [default: all cores]")
]


def _reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a user can mend into one line and exit status 2, an interrupt into 130."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except VidfitError as error:
            typer.echo(f"vidfit: {error}", err=True)
            raise typer.Exit(2) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output is gone
                raise
            typer.echo(f"vidfit: {error.filename or 'system'}: {error.strerror or error}", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt:
            typer.echo("vidfit: interrupted; the same command goes on from here", err=True)
            raise typer.Exit(130) from None

    return run


def _memory(text: str | None) -> int | None:
    """Read ``2GiB``, ``800MB`` or a count of bytes."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kKMGT])(i?)B?|B)?", text.strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no amount of memory; write 2GiB or 800MB")
    power = " KMGT".index((match[2] or " ").upper())
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


@app.command()
@_reported
def fit(  # noqa: PLR0913  (the options of a command)
    clips: Annotated[
        str, typer.Argument(help="Folder CLASS/*.mp4, CSV, Parquet or list of labelled clips.")
    ],
    output: Output = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="Candidate, FAMILY:SOURCE or FILE.py:NAME; may be repeated."),
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="File that maps clips to the recordings they are from.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Drop candidates that would take longer.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Drop candidates that do not fit, such as 2GiB.")
    ] = None,
    holdout: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, help="Share of recordings put aside as test set."),
    ] = 0.0,
    workers: Workers = None,
    download: Annotated[
        bool, typer.Option("--download", help="Allow weights to be fetched from the hub.")
    ] = False,
    merge_duplicates: Annotated[
        bool,
        typer.Option("--merge-duplicates", help="Recordings that share a look count as one."),
    ] = False,
) -> None:
    """Compare pretrained models on your clips and fit the best one."""
    from vidfit.cli.progress import Bars
    from vidfit.cli.show import show_report
    from vidfit.jobs.fit import FitOptions, run_fit

    options = FitOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=_memory(memory),
        holdout=holdout,
        workers=workers,
        download=download,
        merge_duplicates=merge_duplicates,
    )
    folder = output or Path("runs") / (Path(clips).stem or "clips")
    with Bars() as bars:
        report = run_fit(clips, folder, options, bars)
    show_report(report, folder)


@app.command()
@_reported
def predict(  # noqa: PLR0913  (the options of a command)
    model: Annotated[Path, typer.Argument(help="Model directory that fit wrote.")],
    videos: Annotated[list[str], typer.Argument(help="Videos, folders of videos, or URLs.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the answers.")
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="Files to write: json, csv, vtt, png, mp4; comma-separated."),
    ] = "json",
    window: Annotated[
        float | None, typer.Option(min=0.04, help="Seconds of a window. [default: as trained]")
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="FILE.py:NAME of an encoder of your own in the model."),
    ] = None,
    workers: Workers = None,
) -> None:
    """Answer clips as a whole, and longer videos window by window."""
    from vidfit.cli.answer import Wanted, answer_all
    from vidfit.cli.progress import Bars

    suffixes = tuple(word.strip() for word in formats.split(","))
    wanted = Wanted(output, suffixes, window, workers, tuple(backbone or ()))
    with Bars() as bars:
        failed = answer_all(model, videos, wanted, bars)
    if failed:
        raise typer.Exit(1)


@app.command()
@_reported
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for clips, model and report.")
    ] = Path("demo"),
    workers: Workers = None,
) -> None:
    """Build clips of camera motions from real footage and fit a model on them."""
    from vidfit.cli.progress import Bars
    from vidfit.cli.show import show_report
    from vidfit.demo import BACKBONES, build_demo
    from vidfit.jobs.fit import FitOptions, run_fit

    with Bars() as bars:
        clips = build_demo(output / "clips", progress=bars)
        report = run_fit(clips, output, FitOptions(BACKBONES, workers=workers), bars)
    show_report(report, output)


def main() -> None:
    """Run the command line."""
    app()
