"""What was converted, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidfit.jobs.convert.run import PROBLEMS
from vidfit.jobs.convert.value import Converted
from vidfit.report.wording import counted

_SHOWN = 10


def lines(found: Converted) -> Iterator[str]:
    """Yield the lines to print: what was read, what is wrong, what was written."""
    yield f"{found.read_as}."
    yield from _listed("left out", [f"{one.name}: {one.reason}" for one in found.rejected])
    yield from _listed("changed or odd", [f"{one.name}: {one.text}" for one in found.notes])
    yield from _listed("lost", [f"{one.name}: {one.text}" for one in found.lost])
    if found.rejected or found.notes or found.lost:
        yield f"All of it  {found.directory / PROBLEMS}"
    yield f"Written  {found.directory}, {counted(found.files, 'file')}"


def _listed(what: str, faults: Sequence[str]) -> Iterator[str]:
    if faults:
        yield f"{len(faults)} {what}:"
    yield from (f"  {fault}" for fault in faults[:_SHOWN])
    if len(faults) > _SHOWN:
        yield f"  and {len(faults) - _SHOWN} more"
