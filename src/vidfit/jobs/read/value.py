"""What was measured of a reader."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Estimate, Failure


@dataclass(frozen=True)
class ReadingScores:
    """How well questions with an answer are answered.

    Parameters
    ----------
    questions, articles
        That were asked, and that they are about.
    exact, f1
        Of the reader's answers, with intervals over articles.
    sentence_f1, sentence_holds
        Of the sentence that says most of the question, in place of the reader's answer: its F1,
        and whether it holds an answer.
    lead
        F1 of the reader less that of the sentence.
    """

    questions: int
    articles: int
    exact: Estimate
    f1: Estimate
    sentence_f1: Estimate
    sentence_holds: Estimate
    lead: Estimate


@dataclass(frozen=True)
class NoAnswerScores:
    """What comes of answering only where enough speaks for it, by thresholds of other articles.

    Parameters
    ----------
    stated
        Share of questions without an answer that may get one.
    without
        Questions that their texts do not answer.
    false_answers
        Share of them that got an answer.
    answered
        Share of the questions with an answer that got one.
    exact, f1
        Of those.
    """

    stated: float
    without: int
    false_answers: Estimate
    answered: Estimate
    exact: Estimate
    f1: Estimate


@dataclass(frozen=True)
class ReadingReport:
    """A reader that was trained, and how it does on articles that it has not seen.

    Parameters
    ----------
    backbone
        What was fine-tuned.
    questions, articles
        That it learned from.
    passage
        Where the right text is given.
    library
        Where the whole article is: passages are chosen first, as `ask` does.
    passage_found
        Share of the questions for which a passage with an answer is among those that are read.
    no_answer
        Of questions to an article without the passages that hold the answer, and of those that
        the file says have none.
    loss
        Mean of the last hundred steps.
    cpu_seconds
        That training took since it last began.
    failures
        What was left out, with the reason.
    """

    backbone: str
    questions: int
    articles: int
    passage: ReadingScores
    library: ReadingScores
    passage_found: Estimate
    no_answer: NoAnswerScores
    loss: float
    cpu_seconds: float
    failures: tuple[Failure, ...] = ()

    @property
    def beats_sentence(self) -> bool:
        """Whether the reader is proven better than the best sentence, whole article given."""
        return self.library.lead.low > 0
