"""What can be asked of people in videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.backbones.faces.finding import SMALLEST_PIXELS
from vidfit.errors import VidfitError
from vidfit.study.consent import OPTION

OPTIONS = (OPTION, "every", "smallest")


@dataclass(frozen=True)
class PeopleOptions:
    """How videos are looked at.

    Parameters
    ----------
    consent
        To what the people agreed; ``None`` where it was not said.
    every
        Each how manieth frame is looked at, from 1; ``None`` for about five a second.
    smallest_pixels
        Side of the smallest face that is looked for.
    """

    consent: str | None = None
    every: int | None = None
    smallest_pixels: int = SMALLEST_PIXELS

    @classmethod
    def of(cls, given: Mapping[str, tuple[str, ...]]) -> PeopleOptions:
        """Read options as they were typed.

        Raises
        ------
        VidfitError
            If one cannot be read.
        """
        consent = given.get(OPTION, (None,))[-1]
        every = _whole("every", given.get("every"), 1)
        smallest = _whole("smallest", given.get("smallest"), 8)
        return cls(consent, every, SMALLEST_PIXELS if smallest is None else smallest)


def _whole(name: str, values: tuple[str, ...] | None, least: int) -> int | None:
    if not values:
        return None
    if not values[-1].isdecimal() or int(values[-1]) < least:
        raise VidfitError(f"--{name} {values[-1]} is no whole number of {least} or more")
    return int(values[-1])
