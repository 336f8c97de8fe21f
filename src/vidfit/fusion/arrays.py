"""The arrays of a head as they lie in a file: names, types, shapes and ranges of its kind.

The names of arrays end in the letters of their shape. Shape letters: S members, K classes,
D numbers of a member's vector, T thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.fusion.cascade import in_stages

Widths = Sequence[int]
"""Of each member, numbers of the vector that the head is given."""


@dataclass(frozen=True)
class Array:
    """What an array must be: its shape, and the smallest of its finite numbers."""

    shape: tuple[int, ...]
    least: float = -np.inf


Arrays = dict[str, Array]


def check_arrays(kind: str, state: Mapping[str, Floats], widths: Widths, classes: int) -> None:
    """Refuse arrays that a head of a kind of ``HEADS`` cannot have.

    Raises
    ------
    ModelError
        Names an array, what it is, and what it must be.
    """
    expected = _KINDS[kind](state, widths, classes)
    for name in sorted(expected.keys() ^ state.keys()):
        what = "missing" if name in expected else "none of its own"
        raise ModelError(
            f"the head's array {name!r} is {what}: a head {kind!r} has {len(expected)}"
        )
    for name, wanted in expected.items():
        _check(name, state[name], wanted)


def _check(name: str, array: Floats, wanted: Array) -> None:
    if array.shape != wanted.shape:
        shape = ", ".join(map(str, wanted.shape))
        raise ModelError(
            f"the head's array {name!r} is of shape {array.shape}; it must be [{shape}]"
        )
    if array.dtype.kind != "f":
        raise ModelError(f"the head's array {name!r} is of the type {array.dtype}, as none is")
    if not (np.isfinite(array) & (array >= wanted.least)).all():
        raise ModelError(f"the head's array {name!r} holds numbers out of range, NaN or infinity")


def _probe(prefix: str, dim: int, classes: int) -> Arrays:
    shapes = {
        "mean_D": (dim,),
        "scale_D": (dim,),
        "weight_KD": (classes, dim),
        "bias_K": (classes,),
    }
    return {prefix + name: Array(shape) for name, shape in shapes.items()}


def _probes(widths: Widths, classes: int) -> Arrays:
    found: Arrays = {}
    for i, width in enumerate(widths):
        found |= _probe(f"member{i}.", width, classes)
    return found


def _linear(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    return _probe("", sum(widths), classes)


def _log_pool(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    return _probes(widths, classes) | {
        "weights_S": Array((len(widths),), least=0.0),
        "bias_K": Array((classes,)),
    }


def _linear_pool(state: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    if "weights_S" in state and not state["weights_S"].sum() > 0:
        raise ModelError("the head's array 'weights_S' weighs no member")
    return _probes(widths, classes) | {"weights_S": Array((len(widths),), least=0.0)}


def _logistic(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    return _probes(widths, classes) | _probe("combiner.", len(widths) * classes, classes)


def _chain(state: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    named = state.get("receiver_1", np.zeros(0))
    receiver = float(named[0]) if named.shape == (1,) else -1.0
    if receiver not in range(len(widths)):
        raise ModelError(f"the head's receiver is {receiver}; it has {len(widths)} members")
    givers = [width for i, width in enumerate(widths) if i != receiver]
    inputs = widths[int(receiver)] + len(givers) * classes
    return {
        **_probes(givers, classes),
        **_probe("receiver.", inputs, classes),
        "receiver_1": Array((1,)),
    }


def _cascade(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    stages = in_stages(tuple(range(len(widths))))
    found = _probes(widths, classes)
    for t, stage in enumerate(stages):
        found[f"stage{t}.weights_S"] = Array((stage[-1] + 1,), least=0.0)
        found[f"stage{t}.bias_K"] = Array((classes,))
    return found | {"thresholds_T": Array((len(stages) - 1,), least=0.0)}


_KINDS: dict[str, Callable[[Mapping[str, Floats], Widths, int], Arrays]] = {
    "linear": _linear,
    "cascade": _cascade,
    "log-pool": _log_pool,
    "linear-pool": _linear_pool,
    "logistic": _logistic,
    "chain": _chain,
}
"""Kind of head -> what its arrays must be."""
