"""Which kinds of label there are, and how several of them are written as one text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

Labels = Literal["one", "several", "number"]
"""What a clip is labelled with: one class, any of several classes, or a number."""

LABELS: tuple[Labels, ...] = get_args(Labels)

NUMBER = "number"
"""Name of the one answer where the label is a number."""

_BETWEEN = "|"


def labels_of(truth: Any) -> Labels:  # noqa: ANN401 - an array of any kind
    """Return the kind that an array of truth is of, by its shape and type."""
    if truth.ndim == 2:
        return "several"
    return "number" if truth.dtype.kind == "f" else "one"


def columns(truth: Any) -> int:  # noqa: ANN401
    """Return how many answers a clip gets: classes, or one number."""
    kind = labels_of(truth)
    if kind == "several":
        return int(truth.shape[1])
    return 1 if kind == "number" else int(truth.max()) + 1


def names_in(label: str) -> tuple[str, ...]:
    """Return the classes that a text such as ``car|sign`` names; an empty one names none."""
    return tuple(name for part in label.split(_BETWEEN) if (name := part.strip()))


def joined(names: Iterable[str]) -> str:
    """Return the text of several classes, the same whatever their order."""
    return _BETWEEN.join(sorted(set(names)))
