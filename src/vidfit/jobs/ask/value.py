"""What `ask` found."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Failure


@dataclass(frozen=True)
class FoundPlace:
    """Words that may answer a question, and where they are.

    Parameters
    ----------
    words
        Of the answer; without a reader, or below its threshold, of what is nearest to one.
    source
        The video or text.
    start, end
        Signs of the text, or of the transcript with a space between cues.
    start_seconds, end_seconds
        When the cues are said that hold the words; ``None`` of a text.
    around
        The passage that was read, or the sentence.
    probability
        By the reader, of these words among all of the passage, and none; ``None`` without one.
    """

    words: str
    source: str
    start: int
    end: int
    start_seconds: float | None
    end_seconds: float | None
    around: str
    probability: float | None


@dataclass(frozen=True)
class AskedTexts:
    """The answer to a question, or that there is none.

    Parameters
    ----------
    is_answered
        Whether the first place answers: it is surer than the threshold. ``None`` without a reader:
        sentences are named, and whether one answers is not known.
    places
        The most probable ones, the best first.
    threshold
        Probability that an answer has at least; ``None`` without a reader.
    false_answers
        Share of questions without an answer that the threshold lets through.
    texts, passages
        That were searched.
    failures
        What could not be read.
    """

    question: str
    is_answered: bool | None
    places: tuple[FoundPlace, ...]
    threshold: float | None
    false_answers: float
    texts: int
    passages: int
    failures: tuple[Failure, ...] = ()
