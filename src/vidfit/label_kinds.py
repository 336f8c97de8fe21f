"""Which kinds of label there are, and how several of them are written as one text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Labels = Literal["one", "several", "number"]
"""What a clip is labelled with: one class, any of several classes, or a number."""

LABELS: tuple[Labels, ...] = get_args(Labels)

_BETWEEN = "|"


def names_in(label: str) -> tuple[str, ...]:
    """Return the classes that a text such as ``car|sign`` names; an empty one names none."""
    return tuple(name for part in label.split(_BETWEEN) if (name := part.strip()))


def joined(names: Iterable[str]) -> str:
    """Return the text of several classes, the same whatever their order."""
    return _BETWEEN.join(sorted(set(names)))
