"""Heads over one or more members, one file a method."""

from collections.abc import Callable, Mapping

from vidfit.contracts import FittedFusion, Floats
from vidfit.fusion import linear, stack

RESTORE: dict[str, Callable[[Mapping[str, Floats]], FittedFusion]] = {
    "linear": linear.restore,
    "stack": stack.restore,
}
"""Kind of head -> the function that rebuilds it from its arrays."""

__all__ = ["RESTORE", "linear", "stack"]
