"""What a user may ask of `read`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.jobs.read.learn import ReadingRecipe
from vidfit.study.reading.declining import RATES


@dataclass(frozen=True)
class ReadOptions:
    """What a user may ask of `read`.

    Parameters
    ----------
    backbone
        What is fine-tuned: ``minilm``, or ``hf:FOLDER`` or ``hf:NAME`` of a kind in
        `vidfit.backbones.reading.READERS`.
    test
        Questions about other articles, which the reader is measured on and its thresholds are set
        by; ``None`` puts a share ``holdout`` of the articles aside for it.
    holdout
        Share of the articles, in (0, 1).
    false_answers
        Share of the questions without an answer that may get one, in reports.
    questions_an_article
        Of each test article so many questions are measured, drawn at random; ``None`` takes all.
    recipe
        How the reader is trained.
    download
        Whether weights may be fetched from the hub.
    """

    backbone: str = "minilm"
    test: Path | None = None
    holdout: float = 0.25
    false_answers: float = 0.1
    questions_an_article: int | None = 40
    recipe: ReadingRecipe = ReadingRecipe()
    download: bool = False

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if not 0 < self.holdout < 1:
            raise VidfitError(
                f"a holdout of {self.holdout:g} is none; a reader is measured on articles that it "
                "has not seen: give a share above 0 and below 1"
            )
        if self.false_answers not in RATES:
            valid = ", ".join(f"{rate:g}" for rate in RATES)
            raise VidfitError(f"false_answers is {self.false_answers:g}; valid are {valid}")
        if self.recipe.epochs < 1 or self.recipe.batch < 1 or not self.recipe.rate > 0:
            raise VidfitError("epochs and batch are 1 or more, and the rate is above 0")
