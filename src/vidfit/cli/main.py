"""The command line: one file a command, which parses, calls the job and shows its answer.

Only what parsing needs is imported here, so that ``vidfit --help`` answers at once.
"""

from __future__ import annotations

import errno
import functools
import gc
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer

from vidfit.cli import streams
from vidfit.cli.ask import ask
from vidfit.cli.benchmark import benchmark
from vidfit.cli.compare import compare
from vidfit.cli.compress import compress
from vidfit.cli.convert import convert
from vidfit.cli.demo import demo
from vidfit.cli.exchange import pull, push
from vidfit.cli.export import export
from vidfit.cli.faces import faces
from vidfit.cli.fit import fit
from vidfit.cli.fuse import fuse
from vidfit.cli.label import label
from vidfit.cli.models import models
from vidfit.cli.plan import plan
from vidfit.cli.predict import predict
from vidfit.cli.pretrain import pretrain
from vidfit.cli.refused import Commands
from vidfit.cli.sample import sample
from vidfit.cli.say import say, say_error, say_if_heard
from vidfit.cli.search import search
from vidfit.cli.select import select
from vidfit.cli.serve import serve
from vidfit.cli.shard import shard
from vidfit.cli.told import ProgressForm, tell_as
from vidfit.cli.train import train
from vidfit.cli.transcribe import transcribe
from vidfit.cli.watch import watch
from vidfit.errors import VidfitError
from vidfit.threads import sleep_while_waiting

COMMANDS: tuple[Callable[..., None], ...] = (
    fit, select, fuse, compare, compress, label, plan, shard, train, pretrain, export, push, pull,
    benchmark, predict, sample, search, ask, faces, watch, transcribe, convert, serve, demo, models,
)  # fmt: skip
"""In the order of ``vidfit --help``."""

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

P = ParamSpec("P")


def _version(wanted: bool) -> None:
    """Print the version, and nothing else."""
    if wanted:
        from vidfit import __version__

        say(f"vidfit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    progress: Annotated[
        ProgressForm,
        typer.Option(help="How progress is told on standard error: bars, or JSON, a line each."),
    ] = "bars",
) -> None:
    """Find the pretrained model that fits your videos, and run it."""
    sleep_while_waiting()
    tell_as(progress)


def _reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a user can mend into one line and exit status 2, an interrupt into 130.

    A reader of our output that is gone, as in ``vidfit models | head -1``, gives 141.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            streams.flush()
        except VidfitError as error:
            say_error(error)
            raise typer.Exit(2) from error
        except OSError as error:
            status = streams.lost(error)
            if error.errno != errno.EPIPE:  # else the reader of our output is gone
                what = error.filename or "standard output or error"
                say_if_heard(f"vidfit: {what}: {error.strerror or error}")
            raise typer.Exit(status) from error
        except KeyboardInterrupt:
            say_if_heard("vidfit: interrupted; the same command goes on from here")
            raise typer.Exit(130) from None

    return run


for _command in COMMANDS:
    app.command()(_reported(_command))


_MADE_BEFORE_A_LOOK = 10_000
"""Objects: a start makes many and drops none, and to look among them for garbage, which Python does
after 700, is a fortieth of the time of a prediction."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_MADE_BEFORE_A_LOOK)
    streams.prepare()
    try:
        app()
    except OSError as error:  # help could not be printed: the commands catch their own
        raise SystemExit(streams.lost(error)) from None


if __name__ == "__main__":
    main()
