"""What is said of how often a model declines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vidfit.report.wording import counted, figure, percent
from vidfit.reported import Declines, estimate_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER = "How much of other footage it declines was not measured: these clips hold none."


def declines_text(declines: Declines) -> str:
    """Return what share of clips is declined, known and new, and what was not measured."""
    return " ".join(_sentences(declines))


def declines_of_card(card: Mapping[str, Any]) -> Declines | None:
    """Return what a model's card says of it; ``None`` where it says nothing."""
    found = card.get("declines")
    if found is None:
        return None
    figures = ("known", "strict_known", "new", "strict_new")
    estimates = {name: estimate_of(found[name]) for name in figures if found.get(name)}
    return Declines(**{**found, **estimates})


def _sentences(declines: Declines) -> Iterator[str]:
    known = f"Declines {figure(declines.known)} of clips of known classes"
    strict = percent(declines.strict_known.value)
    if declines.new is None or declines.strict_new is None or declines.auroc is None:
        yield f"{known} (--unknown strict: {strict})."
        yield f"How many of a class never seen was not measured: {declines.why}."
    else:
        yield (
            f"{known} and {figure(declines.new)} of clips of a class never seen "
            f"({counted(declines.classes_left_out, 'class', 'classes')} left out in turn, on "
            f"unseen recordings; AUROC {declines.auroc:.2f}); --unknown strict: {strict} and "
            f"{percent(declines.strict_new.value)}."
        )
    yield _OTHER
