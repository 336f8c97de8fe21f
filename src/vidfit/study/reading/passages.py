"""Texts as sentences and passages, and which of them a question is most likely about.

Rare words of the question count more: BM25 (Robertson and Zaragoza, "The probabilistic relevance
framework", 2009, equation 3.15). A transcript's sentences are its cues, each with its seconds.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vidfit.manifest.subtitles import Cue

PASSAGE_WORDS = 120
OVERLAP_WORDS = 30
_K1, _B = 1.2, 0.75
_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\s*\n\s*")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A part of a text, in signs; and when it is said, in seconds, if it is said."""

    start: int
    end: int
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True)
class ReadText:
    """A text, its sentences, and where it is from."""

    source: str
    text: str
    sentences: tuple[Sentence, ...]

    def seconds(self, start: int, end: int) -> tuple[float, float] | None:
        """Return when signs ``start`` to ``end`` are said; ``None`` of a text that is not said."""
        said = [s for s in self.sentences if s.start < end and s.end > start]
        if not said or said[0].start_seconds is None or said[-1].end_seconds is None:
            return None
        return said[0].start_seconds, said[-1].end_seconds


@dataclass(frozen=True, slots=True)
class TextPart:
    """Signs ``start`` to ``end`` of a text: a sentence, or several that follow one another."""

    of: ReadText
    start: int
    end: int

    @property
    def text(self) -> str:
        """Its words."""
        return self.of.text[self.start : self.end]


def plain_text(source: str, text: str) -> ReadText:
    """Return a text cut into sentences: at the ends of lines, and at stops before a capital."""
    edges = [0]
    for found in _BREAK.finditer(text):
        edges += [found.start(), found.end()]
    edges.append(len(text))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    whole = (part for s, e in pairs if text[s:e].strip() for part in _short(text, s, e))
    return ReadText(source, text, tuple(Sentence(*part) for part in whole))


def spoken_text(source: str, cues: Sequence[Cue]) -> ReadText:
    """Return the text of subtitles: each cue is a sentence, and a space stands between them."""
    sentences, place = [], 0
    for cue in cues:
        end = place + len(cue.text)
        sentences.append(Sentence(place, end, cue.start_seconds, cue.end_seconds))
        place = end + 1
    return ReadText(source, " ".join(cue.text for cue in cues), tuple(sentences))


def _short(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a sentence, or the parts of one that is longer than a passage."""
    words = [(start + w.start(), start + w.end()) for w in _WORD.finditer(text[start:end])]
    for first in range(0, len(words), PASSAGE_WORDS):
        part = words[first : first + PASSAGE_WORDS]
        yield part[0][0], part[-1][1]


def sentence_parts(texts: Sequence[ReadText]) -> list[TextPart]:
    """Return all sentences."""
    return [TextPart(text, s.start, s.end) for text in texts for s in text.sentences]


def passages(texts: Sequence[ReadText]) -> list[TextPart]:
    """Return sentences joined to passages of 120 words at most, which overlap by 30 or so."""
    found = []
    for text in texts:
        counts = [len(_WORD.findall(text.text[s.start : s.end])) for s in text.sentences]
        first = 0
        while first < len(counts):
            last, words = first, counts[first]
            while last + 1 < len(counts) and words + counts[last + 1] <= PASSAGE_WORDS:
                last += 1
                words += counts[last]
            found.append(TextPart(text, text.sentences[first].start, text.sentences[last].end))
            if last + 1 == len(counts):
                break
            back, again = last + 1, 0
            while back > first + 1 and again + counts[back - 1] <= OVERLAP_WORDS:
                back -= 1
                again += counts[back]
            first = back
    return found


def words_in(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return re.findall(r"\w+", text.casefold())


class PartIndex:
    """Parts of texts by their words: which of them say most of a question."""

    def __init__(self, parts: Sequence[TextPart]) -> None:
        self.parts = parts
        self._bags = [Counter(words_in(part.text)) for part in parts]
        self._lengths = [sum(bag.values()) for bag in self._bags]
        self._mean = sum(self._lengths) / max(len(parts), 1)
        self._having = Counter(word for bag in self._bags for word in bag)

    def best(self, question: str, count: int) -> list[tuple[TextPart, float]]:
        """Return parts that share words with a question and their BM25, the best first."""
        asked = set(words_in(question)) & self._having.keys()
        total = len(self.parts)
        having = self._having
        idf = {w: math.log(1 + (total - having[w] + 0.5) / (having[w] + 0.5)) for w in asked}
        scored = []
        for part, bag, length in zip(self.parts, self._bags, self._lengths, strict=True):
            norm = _K1 * (1 - _B + _B * length / self._mean)
            score = sum(idf[w] * bag[w] * (_K1 + 1) / (bag[w] + norm) for w in asked if w in bag)
            if score > 0:
                scored.append((part, score))
        return sorted(scored, key=lambda one: -one[1])[:count]
