"""``vidfit fit``, ``select``, ``fuse``, ``models``, ``predict``, ``demo``.

Only what parsing needs is imported here, so that ``vidfit --help`` answers at once.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from vidfit.cli import terminal
from vidfit.cli.benchmark import benchmark
from vidfit.cli.common import AllowUrl, Groups, On, OnlyBelow, Workers, output_of
from vidfit.cli.compress import compress
from vidfit.cli.exchange import pull, push
from vidfit.cli.export import export
from vidfit.cli.label import label
from vidfit.cli.plan import plan
from vidfit.cli.quantities import memory_bytes, time_seconds
from vidfit.cli.say import say_if_heard
from vidfit.cli.shard import shard
from vidfit.cli.train import train
from vidfit.errors import VidfitError
from vidfit.files import claimed
from vidfit.kinds import Labels
from vidfit.study.options import ClassWeights, Metric, Preference

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
Clips = Annotated[
    str, typer.Argument(help="Folder CLASS/*.mp4, CSV, Parquet or list of labelled clips.")
]
Backbones = Annotated[
    list[str] | None,
    typer.Option(help="Candidate, NAME@VIEWS, FAMILY:SOURCE or FILE.py:NAME; may be repeated."),
]
Minutes = Annotated[
    float | None, typer.Option(min=0.0, help="Longest decoding and inference; drops candidates.")
]
Memory = Annotated[str | None, typer.Option(help="Drop candidates that do not fit, such as 2GiB.")]
Latency = Annotated[
    str | None, typer.Option(help="Drop candidates that take longer for a clip, such as 80ms.")
]
Commercial = Annotated[
    bool, typer.Option("--commercial", help="Drop what the licence keeps from commercial use.")
]
Metrics = Annotated[
    Metric | None,
    typer.Option(
        metavar="METRIC",
        help="Figure that decides: accuracy, balanced, macro-f1, map, auroc, log-loss or brier; "
        "of several labels map, micro-f1 or macro-f1; of a number mae, r2 or spearman. "
        "[default: accuracy, balanced if classes are uneven; map; mae]",
    ),
]
LabelKind = Annotated[
    Labels | None,
    typer.Option(
        "--labels", help="What a clip is labelled with. [default: as the labels are written]"
    ),
]
Weights = Annotated[
    ClassWeights | None,
    typer.Option(
        "--class-weights",
        help="Answer as if classes were even, or as learned. [default: balanced by that metric]",
    ),
]
Prefer = Annotated[
    Preference, typer.Option(help="Take the cheapest that is hardly worse, or the best.")
]
GiveUp = Annotated[
    float, typer.Option(min=0.0, max=100.0, help="Most points that the cheapest may lose.")
]
Download = Annotated[
    bool, typer.Option("--download", help="Allow weights to be fetched from the hub.")
]

KeepUntested = Annotated[
    bool, typer.Option("--keep-untested", help="Learn classes that cannot be tested, too.")
]


def _reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a user can mend into one line and exit status 2, an interrupt into 130.

    A reader of our output that is gone, as in ``vidfit models | head -1``, gives 141.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            terminal.flush()
        except VidfitError as error:
            say_if_heard(f"vidfit: {error}")
            raise typer.Exit(2) from error
        except OSError as error:
            status = terminal.lost(error)
            if error.errno != errno.EPIPE:  # else the reader of our output is gone
                what = error.filename or "standard output or error"
                say_if_heard(f"vidfit: {what}: {error.strerror or error}")
            raise typer.Exit(status) from error
        except KeyboardInterrupt:
            say_if_heard("vidfit: interrupted; the same command goes on from here")
            raise typer.Exit(130) from None

    return run


@app.command()
@_reported
def fit(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    output: Output = None,
    backbone: Backbones = None,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    labels: LabelKind = None,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    holdout: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, help="Share of recordings put aside as test set."),
    ] = 0.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    merge_duplicates: Annotated[
        bool,
        typer.Option("--merge-duplicates", help="Recordings that share a look count as one."),
    ] = False,
    keep_untested: KeepUntested = False,
    train: Annotated[
        bool | None,
        typer.Option(
            "--train/--no-train",
            help="Train a network on top, too. [default: if --minutes leaves time]",
        ),
    ] = None,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Compare pretrained models on your clips and fit the best one."""
    from vidfit.cli.progress import Bars
    from vidfit.cli.show import show_report
    from vidfit.jobs.fit.options import FitOptions
    from vidfit.jobs.fit.run import run_fit

    options = FitOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=memory_bytes(memory),
        latency_seconds=time_seconds(latency),
        commercial=commercial,
        labels=labels,
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
        holdout=holdout,
        merge_duplicates=merge_duplicates,
        keep_untested=keep_untested,
        train=train,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        report = run_fit(clips, folder, options, bars)
    show_report(report, folder)


@app.command()
@_reported
def select(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    output: Output = None,
    backbone: Backbones = None,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    labels: LabelKind = None,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Rank pretrained models on your clips; nothing is fitted to keep."""
    from vidfit.cli.progress import Bars
    from vidfit.cli.show import show_ranking
    from vidfit.jobs.select.run import run_select
    from vidfit.study.options import SelectOptions

    options = SelectOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=memory_bytes(memory),
        latency_seconds=time_seconds(latency),
        commercial=commercial,
        labels=labels,
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        ranking = run_select(clips, folder, options, bars)
    show_ranking(ranking, folder)


@app.command()
@_reported
def fuse(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    output: Output = None,
    backbone: Backbones = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Way to combine, such as stack; may be repeated. [default: all]"),
    ] = None,
    student: Annotated[
        bool, typer.Option("--student", help="Distil the fusion into one backbone, too.")
    ] = False,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    keep_untested: KeepUntested = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Combine pretrained models; keep what is proven better than the best of them."""
    from vidfit.cli.progress import Bars
    from vidfit.cli.show import show_combination
    from vidfit.jobs.fuse.options import FuseOptions
    from vidfit.jobs.fuse.run import run_fuse

    options = FuseOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=memory_bytes(memory),
        latency_seconds=time_seconds(latency),
        commercial=commercial,
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
        methods=tuple(method or ()),
        student=student,
        keep_untested=keep_untested,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        combination = run_fuse(clips, folder, options, bars)
    show_combination(combination, folder)


app.command()(_reported(compress))
app.command()(_reported(label))
app.command()(_reported(plan))
app.command()(_reported(shard))
app.command()(_reported(train))
app.command()(_reported(export))
app.command()(_reported(push))
app.command()(_reported(pull))
app.command()(_reported(benchmark))


@app.command()
@_reported
def predict(  # noqa: PLR0913  (the options of a command)
    model: Annotated[Path, typer.Argument(help="Model directory that fit wrote.")],
    videos: Annotated[
        list[str], typer.Argument(help="Videos; folders, lists or tables of videos; or URLs.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the answers.")
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="Files to write: json, csv, vtt, png, mp4, parquet (for all); comma-separated.",
        ),
    ] = "json",
    window: Annotated[
        float | None, typer.Option(min=0.04, help="Seconds of a window. [default: as trained]")
    ] = None,
    unknown: Annotated[
        str | None,
        typer.Option(
            metavar="off|strict|P",
            help="Always answer, decline earlier, or below this probability. [default: as fitted]",
        ),
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="FILE.py:NAME of an encoder of your own in the model."),
    ] = None,
    workers: Workers = None,
    on: On = "here",
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Answer clips as a whole, and longer videos window by window."""
    from vidfit.cli.answer import Wanted, answer_all
    from vidfit.cli.progress import Bars

    suffixes = tuple(word.strip() for word in formats.split(","))
    wanted = Wanted(output, suffixes, window, workers, tuple(backbone or ()), on, unknown)
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
    from vidfit.jobs.fit.options import FitOptions
    from vidfit.jobs.fit.run import run_fit

    with claimed(output), Bars() as bars:
        clips = build_demo(output / "clips", progress=bars)
        report = run_fit(clips, output, FitOptions(BACKBONES, workers=workers), bars)
    show_report(report, output)


@app.command()
@_reported
def models(  # noqa: PLR0913  (the options of a command)
    name: Annotated[
        str | None, typer.Argument(help="Show this model in full: --backbone NAME or hub id.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Made for this task, such as action-recognition.")
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="Takes this: image, video, text or audio.")
    ] = None,
    max_params: Annotated[
        str | None, typer.Option(help="At most so many parameters, such as 100M.")
    ] = None,
    max_gmacs: Annotated[
        float | None, typer.Option(min=0.0, help="At most so many GMACs a clip, all views.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence with these words, such as apache.")
    ] = None,
    commercial: Annotated[
        bool, typer.Option("--commercial", help="Licence allows commercial use.")
    ] = False,
    loadable: Annotated[bool, typer.Option("--loadable", help="Loader is installed here.")] = False,
    present: Annotated[
        bool, typer.Option("--present", help="Weights lie on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List pretrained models: size, cost, licence, and which run here."""
    from vidfit.cli.model_filters import Wanted, millions
    from vidfit.cli.models import show_model, show_models

    wanted = Wanted(
        task, modality, millions(max_params), max_gmacs, licence, commercial, loadable, present
    )
    if name is None:
        show_models(wanted, as_json)
    elif wanted == Wanted():
        show_model(name, as_json)
    else:
        raise typer.BadParameter("NAME shows one model in full: give it, or filters, not both")


def main() -> None:
    """Run the command line."""
    terminal.prepare()
    try:
        app()
    except OSError as error:  # help could not be printed: the commands catch their own
        raise SystemExit(terminal.lost(error)) from None
