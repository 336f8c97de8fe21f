"""Every error that vidfit raises on purpose.

::

    VidfitError
    ├── VideoError            a video, or a part of it, cannot be read
    ├── ManifestError         a list of clips cannot be understood
    ├── BackboneError         a pretrained network is unknown, missing or fails
    ├── StoreError            features on disk cannot be read or written
    ├── ModelError            a model directory is incomplete, altered or too new
    ├── BudgetError           what was asked does not fit the minutes or the memory given
    ├── ConsentError          people would be measured, and nobody said that they agreed
    └── NotEnoughDataError    too few clips, classes or recordings for an honest answer

Each message says what was received, what is valid, and what to do next.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_FAULTS_IN_A_LINE = 20


def not_known(what: str, name: str, valid: Sequence[str]) -> str:
    """Return that there is no such thing, what is near, and what there is."""
    near = get_close_matches(name, valid, 1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{name!r} is no {what}{hint} Valid are {', '.join(valid)}"


class VidfitError(Exception):
    """Base of all errors that vidfit raises on purpose.

    Parameters
    ----------
    said
        What was received, what is valid, and what to do next.
    faults
        All that is wrong, where it is several things: where each stands, and why. As text an error
        is one line, which names the first of them; the command line has a line for each.
    """

    def __init__(self, said: str = "", faults: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(said)
        self.said = said
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """Return one line."""
        more = len(self.faults) - _FAULTS_IN_A_LINE
        named = [f"{where}: {why}" for where, why in self.faults[:_FAULTS_IN_A_LINE]]
        named += [f"and {more} more"] if more > 0 else []
        return ": ".join(filter(None, (self.said, "; ".join(named))))


class VideoError(VidfitError):
    """A video, or a part of it, cannot be read."""


class ManifestError(VidfitError):
    """A list of clips cannot be understood."""


class BackboneError(VidfitError):
    """A pretrained network is unknown, missing or fails."""


class StoreError(VidfitError):
    """Features on disk cannot be read or written."""


class ModelError(VidfitError):
    """A model directory is incomplete, altered or written by a newer vidfit."""


class BudgetError(VidfitError):
    """What was asked does not fit the minutes or the memory given."""


class ConsentError(VidfitError):
    """People would be measured, and nobody said that they agreed, and to what."""


class NotEnoughDataError(VidfitError):
    """There are too few clips, classes or recordings for an honest answer."""
