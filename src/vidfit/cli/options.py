"""Options that several commands have, and where their output goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vidfit.errors import VidfitError
from vidfit.label_kinds import Labels
from vidfit.shown import name_of
from vidfit.study.options import ClassWeights, Preference
from vidfit.task_names import TASKS


def _allow(ctx: typer.Context, urls: list[str] | None) -> list[str] | None:
    """Let lists name these addresses, and no others."""
    from vidfit.video.policy import enforced, in_force

    try:
        ctx.with_resource(enforced(replace(in_force(), urls=tuple(urls or ()))))
    except VidfitError as error:
        raise typer.BadParameter(str(error)) from error
    return urls


def _keep_below(ctx: typer.Context, folders: list[Path] | None) -> list[Path] | None:
    """Let lists name files below these folders, and no others."""
    from vidfit.video.policy import enforced, in_force

    ctx.with_resource(enforced(replace(in_force(), below=tuple(folders or ()))))
    return folders


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Folder for model, report and features. [default: runs/NAME of CLIPS]",
    ),
]
Clips = Annotated[
    str, typer.Argument(help="Folder CLASS/*.mp4, CSV, Parquet or list of labelled clips.")
]
Backbones = Annotated[
    list[str] | None,
    typer.Option(
        help="Candidate, NAME@VIEWS, NAME@key (keyframes), NAME:int8, FAMILY:SOURCE or "
        "FILE.py:NAME; may be repeated."
    ),
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
    str | None,
    typer.Option(
        metavar="METRIC",
        help="Figure that decides: accuracy, balanced, macro-f1, map, auroc, log-loss or brier; "
        "of several labels map, micro-f1 or macro-f1; of a number mae, r2 or spearman; of boxes "
        "ap50-95 or ap50; of masks miou, pixels or edges. [default: accuracy, "
        "balanced if classes are uneven; the first of those of its kind]",
    ),
]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        help=f"{', '.join(TASKS)}, or one of a package; fit: read, of SQUAD.json, "
        "and restore, forecast, generate. [default: by the labels]",
    ),
]
Consent = Annotated[
    str | None,
    typer.Option(
        "--i-have-consent",
        metavar="PURPOSE",
        help="Of --task faces: to what the people agreed; it does not start without.",
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
NetworkOnly = Annotated[
    bool,
    typer.Option("--network-only", help="Drop what is no network: compress, export take none."),
]
Variants = Annotated[
    bool,
    typer.Option(
        "--variants", help="Try networks in 8 bits and on keyframes alone, too, where cheaper."
    ),
]
KeepUntested = Annotated[
    bool, typer.Option("--keep-untested", help="Learn classes that cannot be tested, too.")
]
Groups = Annotated[
    Path | None, typer.Option(help="File that maps clips to the recordings they are from.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Threads that decode and infer. [default: all cores]")
]
Scale = Annotated[
    int | None, typer.Option(help="Of restore: 2 or 4 times as wide and high. [default: 2]")
]
Like = Annotated[
    Path | None,
    typer.Option(metavar="VIDEO", help="Of restore: a video of the quality to be mended."),
]
Seen = Annotated[
    int | None, typer.Option(min=1, help="Of forecast: frames that are seen. [default: 10]")
]
Ahead = Annotated[
    int | None, typer.Option(min=1, help="Of forecast: frames that are said. [default: 10]")
]
Side = Annotated[
    int | None, typer.Option(min=16, help="Of forecast, generate: pixels of a side of the frames.")
]
CpuSeconds = Annotated[
    float | None,
    typer.Option(min=1.0, help="Of restore, forecast, generate: for learning. [default: 600]"),
]
Own = Annotated[
    list[str] | None,
    typer.Option("--backbone", help="FILE.py:NAME of an encoder of your own in the plan."),
]
Window = Annotated[
    float | None, typer.Option(min=0.04, help="Seconds of a window. [default: as trained]")
]
Declining = Annotated[
    str | None,
    typer.Option(
        metavar="off|strict|P",
        help="Always answer, decline earlier, or below this probability. [default: as fitted]",
    ),
]
On = Annotated[
    str, typer.Option(help="Where to run: here, spark, or a cluster such as spark://HOST:7077.")
]
AllowUrl = Annotated[
    list[str] | None,
    typer.Option(
        callback=_allow,
        help="Addresses that lists may name, by their beginning: https://HOST/; may be repeated.",
    ),
]
OnlyBelow = Annotated[
    list[Path] | None,
    typer.Option(
        callback=_keep_below, help="Folder that files in lists must lie in; may be repeated."
    ),
]


def output_of(clips: str) -> Path:
    """Return the folder that a command writes to where none is named."""
    return Path("runs") / (Path(name_of(clips)).stem or "clips")
