"""Which models complete each other: every pair as a cell, the important ones in words."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from vidfit.jobs.fuse import words
from vidfit.report import wording

if TYPE_CHECKING:
    from vidfit.jobs.fuse.value import Combination, Pair
    from vidfit.report.wording import Metric

LEAST_SCALE = 0.02
"""Additions in the map are shaded against the largest, or this if all are smaller."""

STRONGEST = 60
"""Percent of colour in the strongest cell: letters stay readable on it in either scheme."""

WORDED = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the map: its text, its tooltip, its class and how strong its colour is."""

    text: str
    tip: str
    css: str
    share: int


def models(combination: Combination) -> list[str]:
    """Return the models that have a pair, best first."""
    paired = {name for pair in combination.pairs for name in (pair.first, pair.second)}
    known = [o.name for o in combination.options if o.name in paired]
    return known + sorted(paired - {*known})


def pair_map(combination: Combination) -> list[tuple[str, list[Cell]]]:
    """Return the rows of the map: above the diagonal additions, below it agreement."""
    names = models(combination)
    found = {frozenset((p.first, p.second)): p for p in combination.pairs}
    scale = max(
        [LEAST_SCALE, *(abs(p.added.value) for p in combination.pairs if isfinite(p.added.value))]
    )
    return [
        (
            name,
            [
                _cell(row, column, found.get(frozenset((name, other))), combination, scale)
                for column, other in enumerate(names)
            ],
        )
        for row, name in enumerate(names)
    ]


def _cell(
    row: int, column: int, pair: Pair | None, combination: Combination, scale: float
) -> Cell:  # fmt: skip
    if row == column:
        return _alone(models(combination)[row], combination)
    if pair is None:
        return Cell(wording.DASH, wording.NOT_MEASURED, "missing", 0)
    return _added(pair, scale, wording.metric_of(combination)) if row < column else _agreement(pair)


def _alone(name: str, combination: Combination) -> Cell:
    option = words.option(combination, name)
    if option is None or not isfinite(option.score.value):
        return Cell(wording.DASH, f"{name} alone: {wording.NOT_MEASURED}", "alone", 0)
    metric = wording.metric_of(combination)
    text = metric.tick(round(option.score.value, 2))
    return Cell(text, f"{name} alone: {metric.figure(option.score)}", "alone", 0)


def _added(pair: Pair, scale: float, metric: Metric) -> Cell:
    value = pair.added.value
    if not isfinite(value):
        return Cell(wording.DASH, f"{pair.second}: {wording.NOT_MEASURED}", "missing", 0)
    share = round(STRONGEST * abs(value) / scale)
    css = "more" if value >= 0 else "less"
    css += " proven" if words.proven(pair.added) else ""
    star = "*" if words.proven(pair.added) else ""
    tip = f"{pair.second} adds {metric.gain(pair.added)} to {pair.first}"
    return Cell(f"{metric.signed(value)}{star}", tip, css, share)


def _agreement(pair: Pair) -> Cell:
    kappa = pair.agreement
    tip = f"{pair.first} and {pair.second}: {words.agreement(kappa).lower()}"
    if not isfinite(kappa):
        return Cell(wording.DASH, tip, "missing", 0)
    return Cell(f"{kappa:.2f}", tip, "kappa", round(STRONGEST * max(0.0, kappa)))


def worded(combination: Combination) -> list[str]:
    """Return the pairs whose second adds most, as sentences: proven ones, else the first."""
    metric = wording.metric_of(combination)
    measured = [p for p in combination.pairs if isfinite(p.added.value)]
    return [words.pair_sentence(p, metric) for p in (_proven(combination) or measured)[:WORDED]]


def worded_lead(combination: Combination) -> str:
    """Say how many of the additions are proven."""
    count, proven = len(combination.pairs), len(_proven(combination))
    if count == 1:
        return "The addition is proven." if proven else "The addition is not proven."
    if not proven:
        return f"In none of the {count} pairs the second model has a proven addition. The largest:"
    return f"In {proven} of {count} pairs the second model has a proven addition. The largest:"


def _proven(combination: Combination) -> list[Pair]:
    return [p for p in combination.pairs if words.proven(p.added) and p.added.value > 0]
