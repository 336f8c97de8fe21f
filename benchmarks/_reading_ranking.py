"""Which passages of an article are read: by rare words, by MiniLM, and by both.

Both are combined by reciprocal ranks (Cormack, Clarke and Büttcher 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks._harness import table
from vidfit.backbones.hub.text import minilm
from vidfit.jobs.read.measure import ArticleLibrary, holds, sampled
from vidfit.manifest.questions import TextQuestion
from vidfit.metrics.scored import score_values
from vidfit.study.reading.answering import READ_PASSAGES
from vidfit.study.reading.passages import PartIndex

ARTICLES, AN_ARTICLE = 10, 30
_RANKS = 60
WAYS = ("words", "MiniLM", "both")


def ranking(questions: Sequence[TextQuestion]) -> dict[str, Any]:
    """Print and return how often a passage with an answer is among those that are read."""
    library, encoder = ArticleLibrary(questions), minilm()
    names = list(dict.fromkeys(one.article for one in questions))[:ARTICLES]
    found: list[list[bool]] = []
    groups: list[str] = []
    for name in names:
        index = library.passages_of(name)
        parts_PD = _unit(encoder.forward(np.array([part.text for part in index.parts]))[:, 0])
        some = [one for one in sampled(questions, AN_ARTICLE) if one.article == name]
        asked_QD = _unit(encoder.forward(np.array([one.asked for one in some]))[:, 0])
        for one, asked_D in zip(some, asked_QD, strict=True):
            held_P = np.array([holds(part.text, one.references) for part in index.parts])
            words_P, vectors_P = _by_words(index, one.asked), parts_PD @ asked_D
            both_P = sum(1 / (_RANKS + _places(of)) for of in (words_P, vectors_P))
            found.append([_read(of, held_P) for of in (words_P, vectors_P, both_P)])
            groups.append(name)
    scored = score_values(np.array(found, np.float64).T, groups)
    lead = scored.lead(2, 0)
    table(
        [f"{len(groups)} questions, {len(names)} articles", f"among {READ_PASSAGES} passages"],
        [
            [name, f"{100 * of.value:.1f} [{100 * of.low:.1f}, {100 * of.high:.1f}]"]
            for name, of in zip(WAYS, scored.intervals(), strict=True)
        ],
    )
    print(
        f"both less words: {100 * lead.value:+.1f} [{100 * lead.low:+.1f}, {100 * lead.high:+.1f}]"
    )
    intervals = {n: asdict(of) for n, of in zip(WAYS, scored.intervals(), strict=True)}
    return {**intervals, "lead": asdict(lead), "questions": len(groups)}


def _by_words(index: PartIndex, question: str) -> np.ndarray:
    place = {id(part): number for number, part in enumerate(index.parts)}
    scores_P = np.zeros(len(index.parts))
    for part, score in index.best(question, len(index.parts)):
        scores_P[place[id(part)]] = score
    return scores_P


def _places(scores_P: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(-scores_P, kind="stable"))


def _read(scores_P: np.ndarray, held_P: np.ndarray) -> bool:
    return bool(held_P[np.argsort(-scores_P, kind="stable")[:READ_PASSAGES]].any())


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
