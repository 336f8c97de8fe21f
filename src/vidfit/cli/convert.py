"""``vidfit convert``: boxes and masks from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidfit.cli.options import OnlyBelow
from vidfit.cli.say import say
from vidfit.jobs.convert.options import To


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="Boxes or masks: COCO, YOLO, Pascal VOC, CVAT, MOT, Label Studio, CSV, index PNG."
        ),
    ],
    output: Annotated[Path, typer.Argument(help="Empty folder for the files.")],
    to: Annotated[To, typer.Option(help="Format to write.")] = "coco",
    media: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where pictures and videos lie. [default: beside SOURCE]"
        ),
    ] = None,
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Write the pictures, too, with yolo and voc."),
    ] = False,
    only_below: OnlyBelow = None,
) -> None:
    """Write the boxes or masks of one tool in the format of another; name all that is wrong."""
    from vidfit.cli.progress import Bars
    from vidfit.files import claimed
    from vidfit.jobs.convert.options import ConvertOptions
    from vidfit.jobs.convert.run import run_convert
    from vidfit.jobs.convert.terminal import lines

    with claimed(output), Bars() as bars:
        found = run_convert(source, output, ConvertOptions(to, media, pictures), bars)
    for line in lines(found):
        say(line)
