"""What can be asked of people in videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidfit.backbones.faces.finding import SMALLEST_PIXELS
from vidfit.jobs.predict.by_task import whole_number
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
        every = whole_number(given, "every", 1)
        smallest = whole_number(given, "smallest", 8)
        return cls(consent, every, SMALLEST_PIXELS if smallest is None else smallest)
