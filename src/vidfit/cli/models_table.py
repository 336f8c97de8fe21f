"""The catalogue on the terminal: as a table, or one entry in full."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from vidfit.backbones.catalogue import (
    PretrainedModel,
    Status,
    entries,
    find,
    licence_refusal,
    status,
)
from vidfit.cli.model_filters import Left, ModelFilter, filtered
from vidfit.cli.say import say, say_lines
from vidfit.documents import to_json
from vidfit.report.wording import DASH, counted

UNLIMITED = 1000
"""Columns of a table that nobody's terminal limits."""

ROOM_FOR_LICENCE = 120
"""On narrower terminals only `vidfit models NAME` and files tell the licence."""


def show_models(wanted: ModelFilter, as_json: bool) -> None:
    """Print the entries that pass all filters, and say on stderr what was left out.

    Raises
    ------
    VidfitError
        When a task, modality or licence occurs nowhere in the catalogue.
    """
    table, lefts = filtered(wanted)
    if as_json:
        say_lines(to_json([_facts(*row) for row in table], indent=2))
    elif table:
        _print_table(sorted(table, key=_order))
        say_lines(f"\n{_tally(table)}")
    for line in _left_out(lefts, empty=not table):
        say(line, err=True)


def show_model(name: str, as_json: bool) -> None:
    """Print all facts of one entry.

    Raises
    ------
    BackboneError
        When the catalogue does not know the name; with the nearest.
    """
    entry = find(name)
    here = status(entry)
    if as_json:
        say_lines(to_json(_facts(entry, here), indent=2))
        return
    for label, text in _lines(entry, here):
        say(f"{label:<18}{text}")


def _order(row: tuple[PretrainedModel, Status]) -> tuple[int, str, float]:
    """Sort by what is at hand, then by what a clip costs."""
    entry, here = row
    gmacs = entry.gmacs_per_clip
    at_hand = ("ready", "your file", "download", "no").index(_here(here))
    return at_hand, entry.modality, float("inf") if gmacs is None else gmacs


def _here(here: Status) -> str:
    if not here.loadable:
        return "no"
    return {True: "ready", False: "download", None: "your file"}[here.present]


def _print_table(rows: Sequence[tuple[PretrainedModel, Status]]) -> None:
    """Print a table: as wide as the terminal, or as wide as it is when piped."""
    piped = not sys.stdout.isatty()
    console = Console(width=UNLIMITED if piped else None, markup=False, highlight=False)
    with_licence = console.width >= ROOM_FOR_LICENCE
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "model",
        "input",
        "gives",
        "here",
        "params M",
        "GMACs/clip",
        "commercial",
        "licence",
    ):
        if heading != "licence" or with_licence:
            right = heading in ("params M", "GMACs/clip")
            # Names are typed again: they may be broken over lines, but never cut.
            table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for entry, here in rows:
        table.add_row(*_cells(entry, here)[: len(table.columns)])
    with console.capture() as text:
        console.print(table)
    for line in text.get().splitlines():
        typer.echo(line.rstrip())  # a bold heading has escapes; the catalogue's names have none


def _cells(entry: PretrainedModel, here: Status) -> list[str]:
    return [
        entry.name,
        entry.modality,
        entry.gives or DASH,
        _here(here),
        _number(entry.parameters_m),
        _number(entry.gmacs_per_clip),
        {True: "yes", False: "no", None: "?"}[entry.commercial_use],
        entry.licence or "?",
    ]


def _tally(rows: Sequence[tuple[PretrainedModel, Status]]) -> str:
    here = [_here(status) for _, status in rows]
    counts = (
        f"{here.count('ready')} ready, {here.count('download')} after --download, "
        f"{here.count('your file')} from a file of yours, {here.count('no')} not loadable here"
    )
    return f"{counted(len(rows), 'model')}: {counts}. `vidfit models NAME` shows one in full."


def _left_out(lefts: Sequence[Left], *, empty: bool) -> Iterable[str]:
    reasons = {"--commercial": "the licence leaves it open"}
    for left in lefts:
        if left.unknown:
            why = reasons.get(left.option, "the figure is not known")
            yield f"{left.option}: {left.unknown} left out because {why}"
    if empty:
        steps = "; ".join(f"{left.option} left {left.count}" for left in lefts)
        yield f"No model passes all filters. Of {len(entries())}: {steps}."


def _facts(entry: PretrainedModel, here: Status) -> dict[str, Any]:
    return {
        **dataclasses.asdict(entry),
        "gives": entry.gives,
        "gmacs_per_clip": entry.gmacs_per_clip,
        "status": dataclasses.asdict(here),
    }


def _lines(entry: PretrainedModel, here: Status) -> Iterable[tuple[str, str]]:
    """Yield label and text of every fact; what is not known says so."""
    yield "model", entry.name
    yield "published as", entry.hub_id or "-"
    yield "family", f"{entry.family} ({entry.architecture})"
    yield "made for", ", ".join(entry.tasks)
    yield "input", f"{entry.modality}; {entry.input or 'size not known'}"
    yield "gives", entry.gives or "what vidfit has no use for yet"
    yield "pretrained on", entry.pretraining_data or "not known"
    yield "parameters", f"{_number(entry.parameters_m)} million"
    yield "cost", _cost(entry)
    for metric, value in entry.metrics.items():
        yield "published score", f"{metric} {value:g}{_protocol(entry)}"
    refusal = licence_refusal(entry.licence, entry.commercial_use)
    yield "licence", entry.licence or "not known"
    yield "commercial use", refusal or "allowed"
    yield "source", entry.source
    if entry.notes:
        yield "notes", entry.notes
    yield "here", here.reason or _present(here)
    if here.loadable:
        download = "" if here.present is not False else " --download"
        use = _USES.get(entry.gives, "fit CLIPS --backbone {}")
        yield "to use it", f"vidfit {use.format(entry.name)}{download}"


_USES = {
    "boxes": "fit FRAMES --task detect --backbone {}",
    "faces": "fit PEOPLE --task faces --i-have-consent PURPOSE --backbone {}",
    "person mask": "predict {} VIDEO",
    "places": "fit PICTURES --task segment --backbone {}",
    "speeds": "fit RECORDINGS --task anomaly --backbone {}",
}
"""What an encoder gives -> how it is used, where it does not encode clips."""


def _cost(entry: PretrainedModel) -> str:
    if entry.gmacs_per_view is None:
        return "not known"
    basis = f" ({entry.gmacs_basis})" if entry.gmacs_basis else ""
    view = f"{_number(entry.gmacs_per_view)} GMACs a view{basis}"
    if entry.views is None:
        return view
    return f"{view} x {counted(entry.views, 'view')} = {_number(entry.gmacs_per_clip)} GMACs a clip"


def _protocol(entry: PretrainedModel) -> str:
    """Say how many views a published accuracy took, when it took more than one."""
    views = entry.published_views
    return "" if views in ("", "1x1") else f" (at {views} views)"


def _present(here: Status) -> str:
    if here.present is None:
        return "loads from a file of yours: put its path in the place of FILE"
    return "ready" if here.present else "its loader is installed; its weights must be downloaded"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"
