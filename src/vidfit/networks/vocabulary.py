"""Words of clips as numbers: what a network that reads text is given, and how it is saved.

Shape letters: M clips, L text tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Indices

PADDING, UNKNOWN, HIDDEN = 0, 1, 2
"""Numbers that are no words: no token, a word that is not known, one that is to be guessed."""

FIRST_WORD, MOST_WORDS, LEAST_USES, LONGEST = 3, 4096, 2, 48
"""Number of the first word; most words, least uses of one, and most tokens of a clip."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known, the most frequent first; all others are one unknown word."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Vocabulary:
        """Return the most frequent words that several texts have."""
        counts = Counter(word for text in texts for word in set(words_of(text)))
        order = sorted(counts, key=lambda word: (-counts[word], word))
        frequent = [word for word in order if counts[word] >= LEAST_USES]
        return cls(tuple(frequent[:MOST_WORDS]))

    @property
    def size(self) -> int:
        """How many numbers there are; 0 where there is no word."""
        return FIRST_WORD + len(self.words) if self.words else 0

    def numbers(self, texts: Sequence[str | None]) -> Indices:
        """Return the words of each text as numbers [M, L], padded with 0."""
        known = {word: number for number, word in enumerate(self.words, FIRST_WORD)}
        found_ML = np.full((len(texts), LONGEST), PADDING, np.int64)
        for row_L, text in zip(found_ML, texts, strict=True):
            said = [known.get(word, UNKNOWN) for word in words_of(text)[:LONGEST]]
            row_L[: len(said)] = said
        return found_ML


def words_of(text: str | None) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall((text or "").lower())
