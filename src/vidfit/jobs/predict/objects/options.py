"""What can be asked of objects in videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.errors import VidfitError


@dataclass(frozen=True)
class ObjectOptions:
    """How videos are looked at.

    Parameters
    ----------
    every
        Each how manieth frame is looked at, from 1; ``None`` for about ten a second.
    """

    every: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, tuple[str, ...]]) -> ObjectOptions:
        """Read options as they were typed.

        Raises
        ------
        VidfitError
            If one cannot be read.
        """
        every = given.get("every", (None,))[-1]
        if every is not None and (not every.isdecimal() or int(every) < 1):
            raise VidfitError(f"--every {every} is no number of frames; give 1 or more")
        return cls(None if every is None else int(every))
