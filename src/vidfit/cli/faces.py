"""``vidfit faces``: forget a person, or compare pairs of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vidfit.cli.options import Consent
from vidfit.cli.say import say
from vidfit.errors import VidfitError
from vidfit.shown import counted


def faces(
    action: Annotated[Literal["forget", "pairs"], typer.Argument(help="What to do.")],
    what: Annotated[
        str, typer.Argument(help="forget: name of the person. pairs: pairs.txt of LFW, or a CSV.")
    ],
    model: Annotated[
        Path | None, typer.Option(help="forget: model directory that fit --task faces wrote.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="pairs: folder of the pictures. [default: beside the file]")
    ] = None,
    consent: Consent = None,
) -> None:
    """Forget a person, or measure how well pairs of faces are told apart."""
    if action == "pairs":
        _pairs(Path(what), pictures, consent)
    elif model is None:
        raise VidfitError("forget whom from where? Give --model, the directory that fit wrote")
    else:
        _forget(what, model)


def _forget(name: str, model: Path) -> None:
    from vidfit.jobs.people.forget import run_forget

    done = run_forget(name, model)
    say(
        f"Forgotten  {done.name}: {counted(done.pictures, 'aligned face')} and "
        f"{counted(done.features, 'row')} of "
        f"features removed; {len(done.people)} people are left in {model}"
    )
    if done.reports:
        say(f"Removed    {', '.join(done.reports)}: they are about everybody; fit makes them again")
    say(f"Searched   {counted(done.searched, 'file')}: nothing of {done.name} is left")
    say("Not ours   the pictures themselves, copies of the model, and answers given before")


def _pairs(file: Path, pictures: Path | None, consent: str | None) -> None:
    from vidfit.cli.progress import Bars
    from vidfit.jobs.people.pairs import run_pairs

    with Bars() as bars:
        found = run_pairs(file, pictures, consent=consent, progress=bars)
    say(
        f"{found.pairs} pairs, {found.same} of one person: accuracy {found.accuracy:.2%} "
        f"± {found.standard_error:.2%} over {found.folds} folds"
    )
    say(f"TAR {found.accepted_at_1:.1%} at FAR 1 %, {found.accepted_at_01:.1%} at FAR 0.1 %")
    for failure in found.failures:
        say(f"{failure.name}: not compared: {failure.reason}", err=True)
