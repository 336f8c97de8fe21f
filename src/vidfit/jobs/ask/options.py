"""What a user may ask of `ask`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError


@dataclass(frozen=True)
class AskOptions:
    """What a user may ask of `ask`.

    Parameters
    ----------
    reader
        Model directory that `read` wrote; ``None`` answers with whole sentences.
    top
        Places to name.
    false_answers
        Share of questions without an answer that may get one, in (0, 1).
    """

    reader: Path | None = None
    top: int = 3
    false_answers: float = 0.1

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.top < 1:
            raise VidfitError(f"top is {self.top}; give the places to name, 1 or more")
        if not 0 < self.false_answers < 1:
            raise VidfitError(
                f"false_answers is {self.false_answers:g}; give the share of questions without an "
                "answer that may get one, above 0 and below 1, such as 0.1"
            )
