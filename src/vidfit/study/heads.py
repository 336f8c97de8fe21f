"""Every kind of head that a model directory can hold: fusions, and trained networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidfit import fusion
from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.features import IN_STEPS, Pooling
from vidfit.fitted import FittedFusion
from vidfit.fusion import METHODS
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.together import Together
from vidfit.selection import NETWORK as NETWORK
from vidfit.tasks import CLASSIFY, Task


def pooling(kind: str, task: Task = CLASSIFY) -> Pooling:
    """Return what a head looks at: from the tokens of a clip to a vector."""
    return IN_STEPS if in_steps(kind) else task.pooling


def in_steps(kind: str) -> bool:
    """Whether a head looks at tokens kept apart by time."""
    return kind == NETWORK


def restore(kind: str, state: Mapping[str, Floats]) -> FittedFusion:
    """Rebuild a head that answers with one class from its arrays."""
    if kind != NETWORK:
        return fusion.restore(kind, state)
    from vidfit.networks.head import restore as restore_network

    return restore_network(state)


def restore_checked(
    kind: str,
    state: Mapping[str, Floats],
    dims: Sequence[int],
    classes: int,
    task: Task = CLASSIFY,
) -> FittedFusion:
    """Rebuild a head from arrays that may be anybody's.

    Parameters
    ----------
    dims
        Features of a token of each member.
    classes
        How many answers it must give.
    task
        What is answered.

    Raises
    ------
    ModelError
        If the kind is unknown, or an array is not what a head of that kind has for these
        members and classes.
    """
    if kind == NETWORK and task is CLASSIFY:
        return _network(state, dims, classes)
    widths = [task.pooling.times * dim for dim in dims]
    if kind == task.learner.head:
        return task.learner.restore(state, widths, classes)
    methods = () if isinstance(task.learner, Together) else task.methods
    known = {task.learner.head, *(METHODS[method].head for method in methods)}
    if kind not in known:
        raise ModelError(
            f"there is no head {kind[:60]!r} that answers the task {task.name!r}; known are "
            f"{', '.join(sorted(known))}"
        )
    check_arrays(kind, state, widths, classes)
    return fusion.restore(kind, state, task.kind)


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
