"""A reader on questions about articles that it has not learned from, beside whole sentences.

Shape letters: Q questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.backbones.reading import SpanNetwork
from vidfit.contracts import Estimate
from vidfit.jobs.read.value import NoAnswerScores, ReadingScores
from vidfit.manifest.questions import TextQuestion
from vidfit.metrics.measures import Doubles
from vidfit.metrics.reading import READING_MEASURES, exact_match, normalised, word_f1
from vidfit.metrics.resampled import mean_interval
from vidfit.metrics.scored import score_all, score_values
from vidfit.progress import SILENT, Progress
from vidfit.study.reading.answering import Reply, best_sentences, read_all, to_read
from vidfit.study.reading.declining import of_other_articles
from vidfit.study.reading.passages import (
    PartIndex,
    ReadText,
    TextPart,
    passages,
    plain_text,
    sentence_parts,
)

_READ_AT_ONCE = 64


@dataclass(frozen=True)
class AskedQuestion:
    """A question, what is read for it, and the sentence that says most of it."""

    question: TextQuestion
    read: Sequence[TextPart]
    sentence: str


def sampled(
    questions: Sequence[TextQuestion], an_article: int | None, seed: int = 0
) -> list[TextQuestion]:
    """Return some questions of each article, drawn at random, in their order."""
    if an_article is None:
        return list(questions)
    rng, kept = np.random.default_rng(seed), list[int]()
    of = np.array([one.article for one in questions])
    for article in dict.fromkeys(of.tolist()):
        (rows,) = np.nonzero(of == article)
        kept += rng.permutation(rows)[:an_article].tolist()
    return [questions[row] for row in sorted(kept)]


def beside_passage(questions: Sequence[TextQuestion]) -> list[AskedQuestion]:
    """Return questions with the text that they are about, which is read as a whole."""
    found = []
    for one in questions:
        text = plain_text(one.key, one.context)
        sentence = best_sentences(one.asked, PartIndex(sentence_parts([text])))
        whole = [TextPart(text, 0, len(one.context))]
        found.append(AskedQuestion(one, whole, sentence[0].part.text if sentence else ""))
    return found


class ArticleLibrary:
    """The texts of each article, from which passages are chosen."""

    def __init__(self, questions: Sequence[TextQuestion]) -> None:
        texts: dict[str, dict[str, ReadText]] = {}
        for one in questions:
            of = texts.setdefault(one.article, {})
            if one.context not in of:
                of[one.context] = plain_text(f"{one.article} {len(of)}", one.context)
        whole = {name: list(of.values()) for name, of in texts.items()}
        self._passages = {name: PartIndex(passages(of)) for name, of in whole.items()}
        self._sentences = {name: PartIndex(sentence_parts(of)) for name, of in whole.items()}

    def passages_of(self, article: str) -> PartIndex:
        """Return the passages of an article."""
        return self._passages[article]

    def ask(self, one: TextQuestion) -> AskedQuestion:
        """Return a question with the passages of its article that are read."""
        sentence = best_sentences(one.asked, self._sentences[one.article])
        read = to_read(one.asked, self._passages[one.article])
        return AskedQuestion(one, read, sentence[0].part.text if sentence else "")

    def without_answer(self, one: TextQuestion) -> AskedQuestion:
        """Return a question with passages of its article that hold none of its answers."""
        index = self._passages[one.article]
        left = [part for part in index.parts if not holds(part.text, one.references)]
        asked = TextQuestion(one.key, one.asked, one.context, one.article, ())
        return AskedQuestion(asked, to_read(one.asked, PartIndex(left)), "")


def holds(text: str, references: Sequence[str]) -> bool:
    """Return whether a text says one of the true answers, normalised."""
    plain = f" {normalised(text)} "
    return any(f" {normalised(one)} " in plain for one in references)


def answered(
    reader: SpanNetwork, asked: Sequence[AskedQuestion], progress: Progress = SILENT
) -> list[Reply | None]:
    """Return the best answer to each question; ``None`` where nothing was read."""
    found: list[Reply | None] = []
    progress.start("read", len(asked))
    for start in range(0, len(asked), _READ_AT_ONCE):
        some = asked[start : start + _READ_AT_ONCE]
        for replies in read_all(reader, [(one.question.asked, one.read) for one in some]):
            found.append(replies[0] if replies else None)
        progress.advance(len(some))
    return found


def scores(asked: Sequence[AskedQuestion], replies: Sequence[Reply | None]) -> ReadingScores:
    """Return how well questions with an answer are answered, beside the best sentence."""
    groups = [one.question.article for one in asked]
    truth = _objects([one.question.references for one in asked])
    said = _objects([reply.part.text if reply else "" for reply in replies])
    sentences = _objects([one.sentence for one in asked])
    f1 = score_all(READING_MEASURES["f1"], truth, [said, sentences], groups)
    exact = score_all(READING_MEASURES["em"], truth, [said], groups)
    held = [holds(one.sentence, one.question.references) for one in asked]
    return ReadingScores(
        questions=len(asked),
        articles=len(set(groups)),
        exact=exact.interval(0),
        f1=f1.interval(0),
        sentence_f1=f1.interval(1),
        sentence_holds=share(held, groups),
        lead=f1.lead(0, 1),
    )


def no_answer_scores(
    with_answer: Sequence[tuple[AskedQuestion, Reply | None]],
    without: Sequence[tuple[AskedQuestion, Reply | None]],
    rate: float,
) -> NoAnswerScores:
    """Return what comes of answering above a threshold that other articles set."""
    articles = [one.question.article for one, _ in without]
    threshold = of_other_articles(sureness([r for _, r in without]), articles, rate)
    false = [said(r, threshold[a]) for (_, r), a in zip(without, articles, strict=True)]
    groups = [one.question.article for one, _ in with_answer]
    over = [said(r, threshold.get(a, 0.0)) for (_, r), a in zip(with_answer, groups, strict=True)]
    kept = [
        (reply.part.text, one.question)
        for (one, reply), is_said in zip(with_answer, over, strict=True)
        if is_said and reply
    ]
    where = [question.article for _, question in kept]
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    exact = [exact_match(text, question.references) for text, question in kept]
    f1 = [word_f1(text, question.references) for text, question in kept]
    return NoAnswerScores(
        stated=rate,
        without=len(without),
        false_answers=share(false, articles),
        answered=share(over, groups),
        exact=share(exact, where) if kept else nothing,
        f1=mean_interval(f1, where) if kept else nothing,
    )


def said(reply: Reply | None, threshold: float) -> bool:
    """Return whether an answer is given."""
    return reply is not None and reply.log_probability > threshold


def sureness(replies: Sequence[Reply | None]) -> Doubles:
    """Return the log-probability of each answer; minus infinity where there is none."""
    return np.array([reply.log_probability if reply else -np.inf for reply in replies])


def share(values: Sequence[float] | Sequence[bool], groups: Sequence[str]) -> Estimate:
    """Return a mean of values in [0, 1] with its interval over articles."""
    return score_values(np.asarray(values, np.float64)[None], groups).interval(0)


def _objects(values: Sequence[object]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array
