"""A network built anew from its name, its shape and its weights, as a file holds them.

Shape and weights must fit each other before any memory is taken: a network is no larger than the
file that its weights came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from vidfit.documents import FieldRule, Rules, value_of, within
from vidfit.errors import VidfitError
from vidfit.networks import Shape, build

_SHARE = FieldRule(lambda x: 0 <= x < 1, "a share in [0, 1)")
_RULES: Rules = {
    (Shape, "dim"): within(0, 10**6),
    (Shape, "tokens"): within(1, 10**6),
    (Shape, "classes"): within(1, 10**6),
    (Shape, "width"): within(1, 10**5),
    (Shape, "layers"): within(1, 256),
    (Shape, "heads"): within(1, 10**5),
    (Shape, "dropout"): _SHARE,
    (Shape, "drop_path"): _SHARE,
    (Shape, "vocabulary"): within(0, 10**7),
}


def read_shape(found: object) -> Shape:
    """Return a shape from what JSON holds.

    Raises
    ------
    ValueError
        Names the field, what it holds, and what it may.
    """
    return value_of(Shape, found, _RULES, "the shape")


def rebuild(name: str, shape: Shape, weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return a network with its weights.

    Raises
    ------
    ValueError
        If it cannot be built for that shape, or weights are missing, too many or misshapen.
    """
    return with_weights(lambda: build(name, shape), weights)


def with_weights(make: Callable[[], nn.Module], weights: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return a network that is made anew, with its weights.

    Raises
    ------
    ValueError
        If it cannot be made, or weights are missing, too many or misshapen.
    """
    try:
        with torch.device("meta"):  # shapes only
            _check(make(), weights)
        # Weights that are drawn only to be replaced must not move anybody's random numbers.
        with torch.random.fork_rng(devices=[]):
            module = make()
    except (RuntimeError, ZeroDivisionError, VidfitError) as error:
        raise ValueError(f"it cannot be built: {error}") from error
    module.load_state_dict(dict(weights))
    return module


def _check(module: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    expected = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    wrong = sorted(key for key in expected.keys() | found if expected.get(key) != found.get(key))
    if wrong:
        key = wrong[0]
        raise ValueError(
            f"its weights do not fit: {key!r} is {found.get(key, 'missing')}, expected "
            f"{expected.get(key, 'nothing')}, and so {len(wrong)} in all"
        )
