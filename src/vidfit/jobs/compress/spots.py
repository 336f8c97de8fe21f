"""Artefacts as marks of a chart: what each takes, what it loses, and which of them matter."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING

from vidfit.contracts import Estimate
from vidfit.jobs.compress import words
from vidfit.report.plane import FAR, Spot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.jobs.compress.value import Artefact, Compression, Verdict

KINDS: dict[Verdict, str] = {
    "kept": "recommended",
    "within": "tied",
    "open": "behind",
    "worse": "leak",
    "no gain": "dropped",
    "failed": "dropped",
}
"""Verdict -> kind of mark: its shape tells it apart, not only colour."""

FAR_TIMES = 3.0
"""So many times the loss that must be shown, an artefact proven worse is off the scale."""

NO_LOSS = Estimate(nan, nan, nan)


def spots(compression: Compression) -> list[Spot]:
    """Return what can be drawn: the original first, then in the order of the table.

    The cost is in milliseconds or MiB; the figure is the loss, of which nothing is finite where
    answers were not measured.
    """
    c = compression
    found = [_spot(c, c.original, "original", "baseline", 0 if not c.chosen else 1)]
    for artefact in words.ordered(c):
        kind = KINDS[artefact.verdict] if measured(artefact.loss) else "dropped"
        rank = 0 if artefact.name == c.chosen else FAR
        found.append(_spot(c, artefact, artefact.name, kind, rank))
    return [spot for spot in found if isfinite(spot.cost)]


def _spot(compression: Compression, artefact: Artefact, name: str, kind: str, rank: int) -> Spot:
    loss = artefact.loss if measured(artefact.loss) else None
    cost = words.amount(compression, artefact)
    said = words.loses(loss) if loss else "answers not measured"
    return Spot(name, kind, cost, loss or NO_LOSS, f"{name}: {cost:,.3g}, {said}", rank)


def measured(loss: Estimate | None) -> bool:
    """Tell whether a loss has a figure."""
    return loss is not None and isfinite(loss.value)


def _deepest(compression: Compression) -> float:
    """Return the largest loss for which the scale makes room."""
    found = [(a.verdict, max(ends)) for a in compression.artefacts if (ends := _finite(a.loss))]
    worse = sorted(end for verdict, end in found if verdict == "worse")
    others = [end for verdict, end in found if verdict != "worse"] or worse[:1]
    return FAR_TIMES * max([compression.tolerance, *others])


def _finite(loss: Estimate | None) -> list[float]:
    return [v for v in (loss.value, loss.low, loss.high) if isfinite(v)] if loss else []


def worth_drawing(compression: Compression) -> bool:
    """Tell whether the answers of any artefact were measured, and what it takes."""
    return any(measured(s.figure) for s in spots(compression) if s.kind != "baseline")


def undrawn(compression: Compression) -> list[str]:
    """Return the names of artefacts of which it is not known what they take."""
    drawn = {spot.name for spot in spots(compression)}
    return [a.name for a in compression.artefacts if a.name not in drawn]


def off_scale(compression: Compression) -> set[str]:
    """Return the names of those off the scale: they are proven to lose far more than others."""
    deepest = _deepest(compression)
    worse = [a for a in compression.artefacts if a.verdict == "worse"]
    return {a.name for a in worse if a.loss is not None and a.loss.value > deepest}


def front(shown: Sequence[Spot]) -> list[Spot]:
    """Return those that no other beats, what takes least first (Pareto, by point estimates)."""
    found: list[Spot] = []
    for spot in sorted(shown, key=lambda s: (s.cost, s.figure.value)):
        if not found or spot.figure.value < found[-1].figure.value:
            found.append(spot)
    return found


def legend(compression: Compression) -> list[tuple[str, str]]:
    """Return the kinds of marks that are drawn, with what they mean."""
    there = {spot.kind for spot in spots(compression)}
    named = {"baseline": "the original"}
    named |= {KINDS[verdict]: meaning for verdict, (_, meaning) in words.VERDICTS.items()}
    return [(kind, meaning) for kind, meaning in named.items() if kind in there]
