"""``vidfit shard``: clips as WebDataset tar shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vidfit.cli.options import AllowUrl, Groups, On, OnlyBelow, Own, Workers
from vidfit.cli.quantities import memory_bytes
from vidfit.cli.say import say, say_lines

if TYPE_CHECKING:
    from vidfit.jobs.shard.value import Sharded

_SHOWN_FAILURES = 5


def shard(  # noqa: PLR0913  (the options of a command)
    clips: Annotated[
        str, typer.Argument(help="Folder CLASS/*.mp4, CSV, Parquet, list or shards of clips.")
    ],
    output: Annotated[
        Path | None, typer.Argument(help="Folder for shards and their index.")
    ] = None,
    by: Annotated[
        Literal["video", "frame"],
        typer.Option(help="Store the files, or the frames that a network looks at."),
    ] = "video",
    shard_size: Annotated[
        str | None, typer.Option(help="Most bytes of a shard, such as 256MiB. [default: chosen]")
    ] = None,
    shard_clips: Annotated[int | None, typer.Option(min=1, help="Most clips of a shard.")] = None,
    like: Annotated[
        str | None, typer.Option(help="Backbone whose frames are stored, as --backbone takes it.")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json: whose frames are stored, and how many will read."),
    ] = None,
    groups: Groups = None,
    holdout: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of recordings put aside as test set.")
    ] = 0.0,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only read the shards in CLIPS: are they as written?")
    ] = False,
    backbone: Own = None,
    workers: Workers = None,
    on: On = "here",
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Store clips as WebDataset tar shards that every other command reads."""
    from vidfit.cli.progress import Bars

    if verify:
        _verify(Path(clips), output, workers)
        return
    if output is None:
        raise typer.BadParameter("give a folder for the shards, after the clips")
    from vidfit.files import claimed
    from vidfit.jobs.shard.options import ShardOptions
    from vidfit.jobs.shard.run import run_shard

    options = ShardOptions(
        by,
        memory_bytes(shard_size),
        shard_clips,
        like,
        plan,
        groups,
        holdout,
        workers,
        on,
        tuple(backbone or ()),
    )
    with claimed(output), Bars() as bars:
        done = run_shard(clips, output, options, bars)
    _show(done, output)


def _verify(folder: Path, output: Path | None, workers: int | None) -> None:
    """Say whether shards are as they were written; exit with 1 where one is not."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.shard.verify import verify_shards
    from vidfit.report.wording import counted

    if output is not None:
        raise typer.BadParameter("--verify takes the folder of the shards, and nothing else")
    with Bars() as bars:
        found = verify_shards(folder, workers, bars)
    read = f"{counted(found.shards, 'shard')}, {found.size_bytes / 1e6:.1f} MB"
    if not found.failures:
        say(f"{read}: as they were written.")
        return
    say(f"{read}: {len(found.failures)} not as written:")
    for failure in found.failures:
        say(f"- {failure.name}: {failure.reason}")
    raise typer.Exit(1)


def _show(done: Sharded, output: Path) -> None:
    """Print what was stored, why shards are of their size, and what is missing."""
    from vidfit.report.wording import counted

    totals, by = done.document["totals"], done.document["by"]
    frames = f", {counted(totals['samples'], 'frame')}" if by == "frame" else ""
    say_lines(
        f"**{counted(totals['clips'], 'clip')} of {counted(totals['videos'], 'video')}{frames} in "
        f"{counted(totals['shards'], 'shard')}, {totals['bytes'] / 1e6:.1f} MB, "
        f"in {done.wall_seconds:.1f} s.**\n"
    )
    if done.were_there:
        say_lines(f"{done.were_there} of {counted(totals['shards'], 'shard')} were there.\n")
    say_lines(f"Size: {done.reason}.\n")
    for split, (clips, recordings) in done.splits.items():
        say(f"- {split}: {counted(clips, 'clip')} of {counted(recordings, 'recording')}")
    for warning in done.warnings:
        say(f"> {warning}")
    if done.failures:
        verb = "is" if len(done.failures) == 1 else "are"
        say_lines(f"\n{counted(len(done.failures), 'clip')} {verb} not in the shards:")
        for failure in done.failures[:_SHOWN_FAILURES]:
            say(f"- {failure.name}: {failure.reason}")
        if len(done.failures) > _SHOWN_FAILURES:
            say(f"- all of them: {output / 'shards.json'}")
    say_lines(f"\nShards   {output}")
    say(f"Index    {output / 'index.parquet'}")
    say(f"Use it   vidfit {'train' if by == 'frame' else 'fit'} {output}")
