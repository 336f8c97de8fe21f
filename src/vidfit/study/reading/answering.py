"""The answer to a question in passages of texts, by a reader or, without one, a whole sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vidfit.backbones.reading import SpanNetwork, best_spans, windows_of
from vidfit.study.reading.passages import PartIndex, TextPart

READ_PASSAGES = 5
"""A reader reads the best of them."""


@dataclass(frozen=True)
class Reply:
    """Words of a text that may answer, where they stand, and what speaks for them.

    Parameters
    ----------
    part
        Where they stand, in signs of its text.
    passage
        What was read.
    log_probability
        Of the span among all of its passage, and none; that of a sentence without a reader is its
        BM25.
    """

    part: TextPart
    passage: TextPart
    log_probability: float


def read_all(
    reader: SpanNetwork, asked: Sequence[tuple[str, Sequence[TextPart]]], count: int = 1
) -> list[list[Reply]]:
    """Return by question the most probable answers in its passages; no two of one place.

    Parameters
    ----------
    asked
        Questions, and the passages that are read for each.
    count
        Most answers to a question; the best is the first.
    """
    windows, of = [], []
    for number, (question, read) in enumerate(asked):
        for passage in read:
            for window in windows_of(reader.tokenizer, question, passage.text):
                windows.append(window)
                of.append((number, passage))
    found: list[list[Reply]] = [[] for _ in asked]
    for row, spans in best_spans(reader, windows, count):
        number, passage = of[row]
        for span in spans:
            part = TextPart(passage.of, passage.start + span.start, passage.start + span.end)
            found[number].append(Reply(part, passage, span.log_probability))
    return [_best(of_one, count) for of_one in found]


def _best(found: Sequence[Reply], count: int) -> list[Reply]:
    kept: list[Reply] = []
    for one in sorted(found, key=lambda reply: -reply.log_probability):
        if not any(_overlap(one.part, other.part) for other in kept):
            kept.append(one)
    return kept[:count]


def _overlap(one: TextPart, other: TextPart) -> bool:
    return one.of is other.of and one.start < other.end and other.start < one.end


def asked_of(reader: SpanNetwork, question: str, index: PartIndex, count: int = 1) -> list[Reply]:
    """Return the most probable answers in the passages of an index that are read."""
    return read_all(reader, [(question, to_read(question, index))], count)[0]


def to_read(question: str, index: PartIndex) -> list[TextPart]:
    """Return the passages that are read for a question."""
    return [passage for passage, _ in index.best(question, READ_PASSAGES)]


def best_sentences(question: str, index: PartIndex, count: int = 1) -> list[Reply]:
    """Return the sentences that say most of a question: the answer where there is no reader."""
    return [Reply(part, part, score) for part, score in index.best(question, count)]
