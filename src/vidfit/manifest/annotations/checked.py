"""Numbers of files that strangers wrote, checked; and numbers as they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from vidfit.documents import shown

LONGEST_FRAMES = 1 << 20
"""Of a video with annotations: 9 hours at 30 frames a second."""

LARGEST_NUMBER = 1e7
"""Of pixels: no picture is longer on a side, and no number of a box is beyond it."""


def number(found: object, what: str, *, text: bool = False) -> float:
    """Return a finite number that a file holds.

    Parameters
    ----------
    text
        Whether it stands as text, as in tables and XML.

    Raises
    ------
    ValueError
        Says what it is instead.
    """
    try:
        if text and isinstance(found, str):
            value = float(found)
        elif type(found) in (int, float):
            value = float(found)  # type: ignore[arg-type]
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(f"{what} is {shown(found)}; a number is valid") from None
    if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{what} is {value:g}; valid are numbers up to {LARGEST_NUMBER:,.0f}")
    return value


def numbers(found: object, names: Sequence[str], what: str) -> tuple[float, ...]:
    """Return as many finite numbers of a list as there are names; see `number`."""
    if not isinstance(found, list) or len(found) != len(names):
        raise ValueError(f"{what} is {shown(found)}; valid is [{', '.join(names)}]")
    pairs = zip(found, names, strict=True)
    return tuple(number(value, f"{name} of {what}") for value, name in pairs)


def whole(found: object, what: str, *, text: bool = False, least: int = 0) -> int:
    """Return a whole number that a file holds; ``7.0`` is one.

    Raises
    ------
    ValueError
        Says what it is instead.
    """
    value = number(found, what, text=text)
    if value != int(value) or value < least:
        raise ValueError(f"{what} is {shown(found)}; a whole number from {least} is valid")
    return int(value)


def frame_index(found: object, what: str, *, text: bool = False, first: int = 0) -> int:
    """Return the number of a frame from 0, of a file that counts from ``first``."""
    value = whole(found, what, text=text, least=first) - first
    if value >= LONGEST_FRAMES:
        raise ValueError(f"{what} is {value + first}; up to {LONGEST_FRAMES} frames are read")
    return value


def size_of(width: object, height: object, *, text: bool = False) -> tuple[int, int] | None:
    """Return width and height; ``None`` where none is said, or 0.

    Raises
    ------
    ValueError
        If they are no whole numbers.
    """
    if width in (None, "", 0, "0") and height in (None, "", 0, "0"):
        return None
    sides = (
        whole(width, "its width", text=text, least=1),
        whole(height, "its height", text=text, least=1),
    )
    return sides


_SAME_SHAPE = 0.02
"""By how much the ratio of sides may differ, beside one pixel of the shortest."""


def is_same_shape(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Return whether two sizes may be those of one picture that was made smaller or larger."""
    slack = _SAME_SHAPE + 1 / min(*first, *second)
    return abs(math.log(first[0] * second[1] / (first[1] * second[0]))) <= slack


_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def is_plain(text: str) -> bool:
    """Return whether a name can stand in a line of any format: no control signs, no halves."""
    return _NO_TEXT.search(text) is None


def plain(value: float) -> str:
    """Return a number as text, of as many digits as a difference of pixels surely has."""
    return f"{value:.12g}"


def of_json(value: float) -> float | int:
    """Return a number as JSON should have it: whole where it is."""
    rounded = float(plain(value))
    return int(rounded) if rounded.is_integer() else rounded
