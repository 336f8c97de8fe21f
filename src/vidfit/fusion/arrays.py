"""The arrays of a head as they lie in a file: names, types, shapes and ranges of its kind.

The names of arrays end in the letters of their shape. Shape letters: S members, K classes,
D numbers of a member's vector, T trees or thresholds, I inner nodes and L leaves of a tree,
R starts, H hidden units, X numbers of a member's steps, E common width, N tokens, Q queries,
F = Q * E.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.features.pool import STEPS
from vidfit.fusion.cascade import in_stages

Widths = Sequence[int]
"""Of each member, numbers of the vector that the head is given."""

_Any = NDArray[np.generic]


@dataclass(frozen=True)
class Array:
    """What an array must be: sizes, or letters of sizes that are the same wherever they occur.

    ``most`` makes it one of whole numbers in [0, most); ``least`` is the smallest number.
    """

    shape: tuple[int | str, ...]
    most: int = 0
    least: float = -np.inf
    infinite: bool = False


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
    sizes: dict[str, int] = {}
    for name, wanted in expected.items():
        _check_shape(name, state[name], wanted, sizes)
        _check_numbers(name, state[name], wanted)
    _check_sizes(kind, sizes)


def _check_shape(name: str, array: _Any, wanted: Array, sizes: dict[str, int]) -> None:
    fits = array.ndim == len(wanted.shape)
    for size, known in zip(array.shape, wanted.shape, strict=False):
        fits &= size == (sizes.setdefault(known, size or 1) if isinstance(known, str) else known)
    if not fits:
        shape = ", ".join(str(sizes.get(str(known), known)) for known in wanted.shape)
        raise ModelError(
            f"the head's array {name!r} is of shape {array.shape}; it must be [{shape}]"
        )


def _check_numbers(name: str, array: _Any, wanted: Array) -> None:
    if array.dtype.kind != ("i" if wanted.most else "f"):
        raise ModelError(f"the head's array {name!r} is of the type {array.dtype}, as none is")
    if wanted.most:
        fits = bool(((array >= 0) & (array < wanted.most)).all())  # type: ignore[operator]
    else:
        numbers = array.astype(np.float64)
        finite = np.isfinite(numbers) | (wanted.infinite & (numbers == np.inf))
        fits = bool(finite.all() and (numbers >= wanted.least).all())
    if not fits:
        raise ModelError(f"the head's array {name!r} holds numbers out of range, NaN or infinity")


def _check_sizes(kind: str, sizes: Mapping[str, int]) -> None:
    """Hold sizes against each other that are not the same."""
    inner, leaves = sizes.get("I", 1), sizes.get("L", 2)
    if leaves != inner + 1 or leaves & inner:
        raise ModelError(f"the head {kind!r} has trees of {inner} nodes and {leaves} leaves")
    if sizes.get("F", 1) != sizes.get("Q", 1) * sizes.get("E", 1):
        raise ModelError(f"the head {kind!r} pools {sizes['F']} numbers of {sizes['Q']} queries")


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


def _gated(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    return _probes(widths, classes) | _probe("gate.", sum(widths), len(widths))


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


def _boosted(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    return _probes(widths, classes) | {
        "start_K": Array((classes,)),
        "class_T": Array(("T",), most=classes),
        "features_TI": Array(("T", "I"), most=len(widths) * classes),
        # Below a leaf that comes early all clips go left.
        "thresholds_TI": Array(("T", "I"), infinite=True),
        "values_TL": Array(("T", "L")),
    }


def _mlp(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    dim = len(widths) * classes
    shapes: dict[str, tuple[int | str, ...]] = {
        "mean_D": (dim,),
        "scale_D": (dim,),
        "hidden_RDH": ("R", dim, "H"),
        "hidden_bias_RH": ("R", "H"),
        "weight_RHK": ("R", "H", classes),
        "bias_RK": ("R", classes),
    }
    own = {f"perceptron.{name}": Array(shape) for name, shape in shapes.items()}
    return _probes(widths, classes) | own


def _cascade(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    stages = in_stages(tuple(range(len(widths))))
    found = _probes(widths, classes)
    for t, stage in enumerate(stages):
        found[f"stage{t}.weights_S"] = Array((stage[-1] + 1,), least=0.0)
        found[f"stage{t}.bias_K"] = Array((classes,))
    return found | {"thresholds_T": Array((len(stages) - 1,), least=0.0)}


def _attention(_: Mapping[str, Floats], widths: Widths, classes: int) -> Arrays:
    shapes: dict[str, tuple[int | str, ...]] = {
        "place_NE": (len(widths) * STEPS, "E"),
        "gain_E": ("E",),
        "shift_E": ("E",),
        "query_EQ": ("E", "Q"),
        "pooled_gain_F": ("F",),
        "pooled_shift_F": ("F",),
        "weight_FK": ("F", classes),
        "bias_K": (classes,),
    }
    for i, width in enumerate(widths):
        shapes |= {
            f"encoder{i}.mean_X": (width,),
            f"encoder{i}.scale_X": (width,),
            f"encoder{i}.weight_DE": (width // STEPS, "E"),
        }
    return {name: Array(shape) for name, shape in shapes.items()}


_KINDS: dict[str, Callable[[Mapping[str, Floats], Widths, int], Arrays]] = {
    "linear": _linear,
    "cascade": _cascade,
    "log-pool": _log_pool,
    "linear-pool": _linear_pool,
    "logistic": _logistic,
    "chain": _chain,
    "boosted": _boosted,
    "mlp": _mlp,
    "gated": _gated,
    "attention": _attention,
}
"""Kind of head -> what its arrays must be."""
