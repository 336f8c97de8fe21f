"""Artefacts as marks of a chart: what each takes, what it loses, and which of them matter."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from vidfit.jobs.compress import words
from vidfit.report.charts import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidfit.contracts import Estimate
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

FAR = 3.0
"""So many times the loss that must be shown, an artefact proven worse is off the scale."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One mark: what it takes in milliseconds or MiB, and what it loses, if that is known."""

    name: str
    kind: str
    amount: float
    loss: Estimate | None
    chosen: bool
    off: bool = False

    @property
    def value(self) -> float:
        """What it loses, in [-1, 1]; without a figure it is infinite."""
        return self.loss.value if self.loss else inf

    @property
    def ends(self) -> list[float]:
        """What was measured of the loss: value and interval."""
        return _finite(self.loss)


def spots(compression: Compression) -> list[Spot]:
    """Return what can be drawn: the original first, then in the order of the table."""
    c, deepest = compression, _deepest(compression)
    original = words.amount(c, c.original)
    found = [Spot("original", "baseline", original, c.original.loss, chosen=not c.chosen)]
    found += [_spot(artefact, c, deepest) for artefact in words.ordered(c)]
    return [spot for spot in found if isfinite(spot.amount)]


def _spot(artefact: Artefact, compression: Compression, deepest: float) -> Spot:
    loss = artefact.loss if artefact.loss and isfinite(artefact.loss.value) else None
    return Spot(
        artefact.name,
        KINDS[artefact.verdict] if loss else "dropped",
        words.amount(compression, artefact),
        loss,
        chosen=artefact.name == compression.chosen,
        off=loss is not None and artefact.verdict == "worse" and loss.value > deepest,
    )


def _deepest(compression: Compression) -> float:
    """Return the largest loss for which the scale makes room."""
    found = [(a.verdict, max(ends)) for a in compression.artefacts if (ends := _finite(a.loss))]
    worse = sorted(end for verdict, end in found if verdict == "worse")
    others = [end for verdict, end in found if verdict != "worse"] or worse[:1]
    return FAR * max([compression.tolerance, *others])


def _finite(loss: Estimate | None) -> list[float]:
    return [v for v in (loss.value, loss.low, loss.high) if isfinite(v)] if loss else []


def worth_drawing(compression: Compression) -> bool:
    """Tell whether the answers of any artefact were measured, and what it takes."""
    return any(spot.loss for spot in spots(compression) if spot.kind != "baseline")


def undrawn(compression: Compression) -> list[str]:
    """Return the names of artefacts of which it is not known what they take."""
    drawn = {spot.name for spot in spots(compression)}
    return [a.name for a in compression.artefacts if a.name not in drawn]


def off_scale(compression: Compression) -> list[Spot]:
    """Return those that stand below the scale because they lose far more than the others."""
    return [spot for spot in spots(compression) if spot.off]


def front(shown: Sequence[Spot]) -> list[Spot]:
    """Return those that no other beats, what takes least first (Pareto, by point estimates)."""
    found: list[Spot] = []
    for spot in sorted(shown, key=lambda s: (s.amount, s.value)):
        if not found or spot.value < found[-1].value:
            found.append(spot)
    return found


def legend(compression: Compression) -> list[tuple[str, str]]:
    """Return the kinds of marks that are drawn, with what they mean."""
    there = {spot.kind for spot in spots(compression)}
    named = {"baseline": "the original"}
    named |= {KINDS[verdict]: meaning for verdict, (_, meaning) in words.VERDICTS.items()}
    return [(kind, meaning) for kind, meaning in named.items() if kind in there]


def key(kind: str) -> Markup:
    """Return a mark as it stands in a line of text."""
    return Markup(
        '<svg class="sign" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">'
        '<path class="mark {}" d="{}"/></svg>'
    ).format(kind, MARKS[kind])
