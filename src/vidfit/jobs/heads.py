"""Every kind of head that a model directory can hold: fusions, and trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vidfit import fusion
from vidfit.contracts import FittedFusion, Floats
from vidfit.features import POOLINGS

NETWORK = "network"
"""A trained network over one member's steps in time: `vidfit.networks.head`."""

KINDS = (*fusion.HEADS, NETWORK)


def pooling(kind: str) -> Callable[[Floats], Floats]:
    """Return what a head looks at: from the tokens of a clip to a vector."""
    return POOLINGS["steps" if in_steps(kind) else "statistics"]


def in_steps(kind: str) -> bool:
    """Whether a head looks at tokens kept apart by time."""
    return kind == NETWORK or fusion.HEADS[kind].pooling == "steps"


def restore(kind: str, state: Mapping[str, Floats]) -> FittedFusion:
    """Rebuild a head of one of ``KINDS`` from its arrays."""
    if kind != NETWORK:
        return fusion.restore(kind, state)
    from vidfit.networks.head import restore as restore_network

    return restore_network(state)
