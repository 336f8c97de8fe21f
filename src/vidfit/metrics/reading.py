"""Answers in words beside true ones: exact match and F1 of words, as SQuAD 2.0 has them.

Rajpurkar et al. 2018; parity with the official script is tested. The best of several true answers
counts. No answer is the empty text, which is right where there is no true answer.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidfit.metrics.measures import AnyMeasure, Doubles, Range, ratio

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Return an answer in small letters, without punctuation, articles and extra space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, references: Sequence[str]) -> float:
    """Return 1 if an answer is one of the true ones, normalised, else 0."""
    said = normalised(answer)
    return float(any(said == true for true in _trues(references)))


def word_f1(answer: str, references: Sequence[str]) -> float:
    """Return the best harmonic mean of precision and recall of words, in [0, 1]."""
    said = normalised(answer).split()
    return max(_f1(said, true.split()) for true in _trues(references))


def _trues(references: Sequence[str]) -> list[str]:
    """Return the true answers that are not empty once normalised; without one, the empty one."""
    return [true for true in map(normalised, references) if true] or [""]


def _f1(said: list[str], true: list[str]) -> float:
    if not said or not true:
        return float(said == true)
    same = sum((Counter(said) & Counter(true)).values())
    return 2 * same / (len(said) + len(true))


@dataclass(frozen=True)
class ExactMatch:
    """The share of questions whose answer is a true one; truth are true answers of each."""

    name: str = "exact match"
    kind: Range = "share"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return right answers, and questions."""
        return _summed([exact_match(said, of) for said, of in zip(answers, truth, strict=True)])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class WordF1:
    """The mean over questions of the F1 of words; truth are true answers of each."""

    name: str = "F1 of words"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum of the F1, and questions."""
        return _summed([word_f1(said, of) for said, of in zip(answers, truth, strict=True)])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


def _summed(values: Sequence[float]) -> Doubles:
    return np.array([np.sum(values, dtype=np.float64), len(values)])


READING_MEASURES: dict[str, AnyMeasure] = {"f1": WordF1(), "em": ExactMatch()}
"""By name; the first decides."""
