"""What `convert` did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Failure, Note


@dataclass(frozen=True)
class Converted:
    """What was read, what was written, and what got lost between.

    Parameters
    ----------
    read_as
        One sentence on what was read.
    directory
        The folder that was written.
    files
        How many files it has.
    rejected
        What is left out: where it stands, and why.
    notes
        What was changed or is odd, and used.
    lost
        What the format has no place for, and pictures that could not be written.
    """

    read_as: str
    directory: Path
    files: int
    rejected: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    lost: tuple[Note, ...] = ()
