"""Heads over one or more members, one file a method.

``METHODS`` says how members can be combined, ``HEADS`` what a model directory can hold: several
methods may end in one kind of head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from vidfit.contracts import Floats
from vidfit.fitted import FittedFusion
from vidfit.fusion.member import Fitted, Member, Training
from vidfit.labels import LABELS, ONE, Kind

Family = Literal["concatenation", "integration", "complement"]
"""By vectors side by side; by answers weighed; by what one does for the other."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to combine members.

    Parameters
    ----------
    family
        Which of the three families it belongs to.
    fit
        ``module:function`` of this package that takes a `Training` and returns a `Fitted`.
    head
        Key of ``HEADS``: the kind of what it fits.
    labels
        Kinds of label that it can learn.
    """

    family: Family
    fit: str
    head: str
    labels: tuple[str, ...] = (ONE.name,)


METHODS: dict[str, Method] = {
    "concat": Method("concatenation", "concat:fit_concat", "linear", labels=LABELS),
    "cascade": Method("complement", "cascade:fit_cascade", "cascade"),
    "stack": Method("integration", "stack:fit_stack", "log-pool", labels=LABELS),
    "average": Method("integration", "average:fit_average", "linear-pool"),
    "weighted": Method("integration", "average:fit_weighted", "linear-pool"),
    "logistic": Method("integration", "logistic:fit_logistic", "logistic"),
    "chain": Method("complement", "chain:fit_chain", "chain"),
}
"""Name of a method -> where it is."""

HEADS: dict[str, str] = {
    "linear": "linear:restore",
    "cascade": "cascade:restore",
    "log-pool": "stack:restore",
    "linear-pool": "average:restore",
    "logistic": "logistic:restore",
    "chain": "chain:restore",
}
"""Kind of head -> ``module:function`` of this package that rebuilds it from its arrays."""

REMOVED_HEADS = ("boosted", "mlp", "gated", "attention")
"""Kinds of head that models of earlier versions may end in, and that are no longer answered."""


def methods_for(kind: Kind) -> tuple[str, ...]:
    """Return the methods that learn a kind of label."""
    return tuple(name for name, method in METHODS.items() if kind.name in method.labels)


def fit_method(name: str, training: Training) -> Fitted:
    """Fit a fusion by a method of ``METHODS``, or as the learner of the task does it."""
    if training.together:
        together = training.together.together
        fitted = together(training.blocks, training.labels_M, training.folds_M)
        return Fitted(*fitted, tuple(range(len(training.members))))
    fit: Callable[[Training], Fitted] = _function(METHODS[name].fit)
    return fit(training)


def restore(head: str, state: Mapping[str, Floats], kind: Kind = ONE) -> FittedFusion:
    """Rebuild a head of a kind of ``HEADS`` from its arrays, for a kind of label that it learns."""
    rebuild: Callable[..., FittedFusion] = _function(HEADS[head])
    return rebuild(state) if kind is ONE else rebuild(state, kind)


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"vidfit.fusion.{module}"), name)
    return function


__all__ = [
    "HEADS",
    "METHODS",
    "REMOVED_HEADS",
    "Family",
    "Fitted",
    "Member",
    "Method",
    "Training",
    "fit_method",
    "methods_for",
    "restore",
]
