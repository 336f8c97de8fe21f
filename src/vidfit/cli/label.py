"""``vidfit label``: which clips to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidfit.cli.options import AllowUrl, Groups, On, OnlyBelow, TaskName, Workers, output_of
from vidfit.cli.say import say
from vidfit.shown import counted

if TYPE_CHECKING:
    from vidfit.jobs.label.value import Labelling

_SHOWN = 10


def label(  # noqa: PLR0913  (the options of a command)
    clips: Annotated[
        str, typer.Argument(help="Folder or list of clips, or table of texts: some have no label.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for lists and features. [default: runs/NAME of CLIPS]"
        ),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="OUTPUT/to-label.csv with its column label filled in.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Clips, or spans, to propose.")] = 10,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Model of --task localise, for spans of long videos; or of pretrain, for texts.",
        ),
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            help="Looks at the clips; may be repeated. [default: motion, efficientnet-lite0]"
        ),
    ] = None,
    groups: Groups = None,
    task: TaskName = None,
    workers: Workers = None,
    on: On = "here",
    download: Annotated[
        bool, typer.Option("--download", help="Allow weights to be fetched from the hub.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed proposes the same clips.")] = 0,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Propose the clips whose labels would teach most; take in those that you gave."""
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.label.options import LabelOptions
    from vidfit.jobs.label.run import run_label

    options = LabelOptions(
        count, answers, tuple(backbone or ()), groups, workers, download, seed, on, task, model
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        found = run_label(clips, folder, options, bars)
    show_labelling(found, clips, folder, model)


def show_labelling(found: Labelling, clips: str, folder: Path, model: Path | None = None) -> None:
    """Print where labelling stands, what to label next, and what to type then."""
    from vidfit.jobs.label.answers import TO_LABEL

    if found.spans:
        _say_spans(found, clips, folder, model)
        return
    counts = ", ".join(f"{name} {count}" for name, count in found.labels.items())
    known = sum(found.labels.values())
    what = "texts" if found.texts else "clips"
    say(f"{known} of {found.clip_count} {what} have a label{counts and ': ' + counts}")
    say(f"Recordings: {found.grouping}")
    _list("Before you trust these labels", list(found.warnings))
    _list(f"{len(found.failures)} left out", [f"{f.name}: {f.reason}" for f in found.failures])
    _list(f"{counted(len(found.empty), 'row')} of the answers still empty", found.empty)
    if found.proposed:
        names = [
            f"{one.clip.text if found.texts else one.clip.path}  {one.why}"
            for one in found.proposed
        ]
        _list(f"{len(names)} {what} to label next, by the method {found.proposed[0].method}", names)
        say(f"List     {folder / TO_LABEL}")
        say(
            "Next     fill in its column label, then "
            f"vidfit label {clips} --answers {folder / TO_LABEL} -o {folder}"
            + (f" --model {model}" if model else "")
        )
    if not found.texts:
        _say_fit(found, clips, folder)


def _say_spans(found: Labelling, clips: str, folder: Path, model: Path | None) -> None:
    """Print which spans to correct, and what to type then."""
    from vidfit.jobs.label.answers import CLIPS, TO_LABEL

    counts = ", ".join(f"{name} {count}" for name, count in found.labels.items())
    say(f"{counted(found.clip_count, 'span')} with a label{counts and ': ' + counts}")
    if found.unchanged:
        say(
            f"{found.unchanged} of them stand as the model answered them, and are taken for true: "
            "where nobody looked, remove the row"
        )
    _list(f"{len(found.failures)} left out", [f"{f.name}: {f.reason}" for f in found.failures])
    names = [
        f"{one.clip.path} {one.clip.start_seconds:.1f} to {one.clip.end_seconds or 0:.1f} s  "
        f"{one.why}"
        for one in found.proposed
    ]
    _list(f"{counted(len(names), 'span')} to correct next", names)
    say(f"List     {folder / TO_LABEL}")
    merged = folder / CLIPS
    say(
        "Next     correct its labels and times, then "
        f"vidfit label {clips} --answers {folder / TO_LABEL} -o {folder} --model {model}"
    )
    if merged.exists():
        say(f"Fit      vidfit fit {merged} --task localise -o {folder}")


def _say_fit(found: Labelling, clips: str, folder: Path) -> None:
    """Say what can be fitted on: the merged list once there is one."""
    from vidfit.jobs.label.answers import CLIPS

    if len(found.labels) > 1:
        merged = folder / CLIPS
        say(f"Fit      vidfit fit {merged if merged.exists() else clips} -o {folder}")


def _list(title: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        say(f"{title}:")
    for line in lines[:_SHOWN]:
        say(f"  {line}")
    if len(lines) > _SHOWN:
        say(f"  and {len(lines) - _SHOWN} more")
