"""Heads over one or more members, one file a method.

``METHODS`` says how members can be combined, ``HEADS`` what a model directory can hold: several
methods may end in one kind of head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from vidfit.contracts import FittedFusion, Floats
from vidfit.fusion.member import Fitted, Member, Training
from vidfit.labels import LABELS, Labels

Family = Literal["concatenation", "integration", "complement"]
"""By vectors side by side; by answers weighed; by what one does for the other."""

Pooling = Literal["statistics", "steps"]
"""What of a member's tokens a head looks at: see `vidfit.features.POOLINGS`."""


@dataclass(frozen=True, slots=True)
class Head:
    """A kind of fitted head: ``module:function`` that restores it, and what it looks at."""

    restore: str
    pooling: Pooling = "statistics"


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
    least_clips
        With fewer training clips it is not tried unless it is asked for by name.
    labels
        Kinds of label that it can learn.
    """

    family: Family
    fit: str
    head: str
    least_clips: int = 0
    labels: tuple[Labels, ...] = ("one",)


METHODS: dict[str, Method] = {
    "concat": Method("concatenation", "concat:fit_concat", "linear", labels=LABELS),
    "cascade": Method("complement", "cascade:fit_cascade", "cascade"),
    "stack": Method("integration", "stack:fit_stack", "log-pool", labels=LABELS),
    "average": Method("integration", "average:fit_average", "linear-pool"),
    "weighted": Method("integration", "average:fit_weighted", "linear-pool"),
    "log-average": Method("integration", "average:fit_log_average", "log-pool"),
    "logistic": Method("integration", "logistic:fit_logistic", "logistic"),
    "greedy": Method("integration", "greedy:fit_greedy", "linear-pool"),
    "folds": Method("integration", "folds:fit_folds", "linear"),
    "pca": Method("concatenation", "pca:fit_pca", "linear"),
    "cca": Method("concatenation", "cca:fit_cca", "linear"),
    "chain": Method("complement", "chain:fit_chain", "chain"),
    "boosted": Method("integration", "boosted:fit_boosted", "boosted", least_clips=500),
    "mlp": Method("integration", "mlp:fit_mlp", "mlp", least_clips=500),
    "gated": Method("integration", "gated:fit_gated", "gated", least_clips=1000),
    "attention": Method("concatenation", "attention:fit_attention", "attention", least_clips=2000),
}
"""Name of a method -> where it is."""

HEADS: dict[str, Head] = {
    "linear": Head("linear:restore"),
    "cascade": Head("cascade:restore"),
    "log-pool": Head("stack:restore"),
    "linear-pool": Head("average:restore"),
    "logistic": Head("logistic:restore"),
    "chain": Head("chain:restore"),
    "boosted": Head("boosted:restore"),
    "mlp": Head("mlp:restore"),
    "gated": Head("gated:restore"),
    "attention": Head("attention:restore", "steps"),
}
"""Kind of head -> the function that rebuilds it from its arrays."""


def fit_method(name: str, training: Training) -> Fitted:
    """Fit a fusion by a method of ``METHODS``."""
    fit: Callable[[Training], Fitted] = _function(METHODS[name].fit)
    return fit(training)


def restore(head: str, state: Mapping[str, Floats], labels: Labels = "one") -> FittedFusion:
    """Rebuild a head of a kind of ``HEADS`` from its arrays, for a kind of label that it learns."""
    rebuild: Callable[..., FittedFusion] = _function(HEADS[head].restore)
    return rebuild(state) if labels == "one" else rebuild(state, labels)


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"vidfit.fusion.{module}"), name)
    return function


__all__ = [
    "HEADS",
    "METHODS",
    "Family",
    "Fitted",
    "Head",
    "Member",
    "Method",
    "Pooling",
    "Training",
    "fit_method",
    "restore",
]
