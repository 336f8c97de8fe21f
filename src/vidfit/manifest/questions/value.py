"""A question about a text, and what is known of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from vidfit.contracts import Failure


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """A span of a text that answers: its words, and the sign that it begins at, from 0."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The sign after its last."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """A question about a text.

    Parameters
    ----------
    key
        What it is called; no two of a set are called alike.
    asked
        Its words.
    context
        The text that it is about.
    article
        What the text is a part of; splits never cut an article.
    answers
        Spans of the text of which each answers; empty where the text does not.
    """

    key: str
    asked: str
    context: str
    article: str
    answers: tuple[AnswerSpan, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """The words of the answers."""
        return tuple(answer.text for answer in self.answers)


@dataclass(frozen=True)
class QuestionSet:
    """Questions that can be used, and what was left out, with the reason."""

    questions: tuple[TextQuestion, ...]
    rejected: tuple[Failure, ...] = ()

    @property
    def articles(self) -> tuple[str, ...]:
        """The articles, in the order that they are first asked about."""
        return tuple(dict.fromkeys(question.article for question in self.questions))

    def of(self, articles: frozenset[str] | set[str]) -> tuple[TextQuestion, ...]:
        """Return the questions about some articles."""
        return tuple(one for one in self.questions if one.article in articles)
