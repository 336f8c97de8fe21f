"""Every kind of head that a model directory can hold: fusions, and trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vidfit import fusion
from vidfit.contracts import FittedFusion, Floats
from vidfit.errors import ModelError
from vidfit.features import POOLINGS
from vidfit.fusion.arrays import check_arrays
from vidfit.labels import Labels

STATISTICS = 3
"""Numbers for each feature: mean, deviation and change (`vidfit.features.temporal_statistics`)."""

NETWORK = "network"
"""A trained network over one member's steps in time: `vidfit.networks.head`."""

KINDS = (*fusion.HEADS, NETWORK)


def pooling(kind: str) -> Callable[[Floats], Floats]:
    """Return what a head looks at: from the tokens of a clip to a vector."""
    return POOLINGS["steps" if in_steps(kind) else "statistics"]


def in_steps(kind: str) -> bool:
    """Whether a head looks at tokens kept apart by time."""
    return kind == NETWORK


def restore(kind: str, state: Mapping[str, Floats], labels: Labels = "one") -> FittedFusion:
    """Rebuild a head of one of ``KINDS`` from its arrays."""
    if kind != NETWORK:
        return fusion.restore(kind, state, labels)
    from vidfit.networks.head import restore as restore_network

    return restore_network(state)


def restore_checked(
    kind: str,
    state: Mapping[str, Floats],
    dims: Sequence[int],
    classes: int,
    labels: Labels = "one",
) -> FittedFusion:
    """Rebuild a head from arrays that may be anybody's.

    Parameters
    ----------
    dims
        Features of a token of each member.
    classes
        How many answers it must give.
    labels
        Of which kind they are.

    Raises
    ------
    ModelError
        If the kind is unknown, or an array is not what a head of that kind has for these
        members and classes.
    """
    if kind not in KINDS:
        raise ModelError(f"there is no head {kind[:60]!r}; known are {', '.join(KINDS)}")
    if labels not in _learned(kind):
        raise ModelError(f"a head {kind!r} does not answer with labels of the kind {labels!r}")
    if kind == NETWORK:
        return _network(state, dims, classes)
    check_arrays(kind, state, [STATISTICS * dim for dim in dims], classes)
    return restore(kind, state, labels)


def _learned(kind: str) -> set[Labels]:
    """Return the kinds of label that a kind of head answers with."""
    found: set[Labels] = {"one"}
    return found.union(*(m.labels for m in fusion.METHODS.values() if m.head == kind))


def _network(state: Mapping[str, Floats], dims: Sequence[int], classes: int) -> FittedFusion:
    """Rebuild a trained network, and hold it against the one member that it answers by."""
    from vidfit.networks.head import restore as restore_network

    for name, array in state.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"the head's array {name!r} holds NaN or infinity")
    head = restore_network(state)
    shape = head.shape
    if len(dims) != 1 or (shape.dim, shape.classes) != (dims[0], classes):
        raise ModelError(
            f"the head is a network of {shape.dim} features and {shape.classes} classes; the "
            f"model has {classes} classes, and members of {', '.join(map(str, dims))} features"
        )
    return head
