"""What held-out documents cost: by the model, an n-gram, both mixed, and compressors.

All are given the same text first. Once they stay as they are then, and once they learn from each
held-out document when it was coded, as compressors do by nature (Krause et al. 2018 for networks).
"""

from __future__ import annotations

import bz2
import lzma
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Estimate, Indices
from vidfit.jobs.pretrain.corpus import Corpus
from vidfit.jobs.pretrain.value import GPT, MIXED, NGRAM, OF_TOKENS, BitsSaved, Coded
from vidfit.language.model import Doubles, LanguageModel
from vidfit.language.ngram import ngram
from vidfit.language.tokens import END
from vidfit.metrics import ratio_interval
from vidfit.progress import Progress

BYTES_ORDER, TOKENS_ORDER = 7, 4
_WEIGHTS = np.linspace(0.05, 1.0, 20)

_COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "xz": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
    "bz2": lambda content: bz2.compress(content, 9),
}


@dataclass(frozen=True, eq=False)
class _Documents:
    """Texts with their tokens, and what was learned from before them."""

    texts: Sequence[str]
    tokens: Sequence[Indices]
    first: Indices

    @property
    def sizes(self) -> Doubles:
        """Bytes of each."""
        return np.array([len(text.encode(errors="replace")) for text in self.texts], float)


def judged(
    model: LanguageModel, corpus: Corpus, progress: Progress
) -> tuple[tuple[Coded, ...], tuple[BitsSaved, ...]]:
    """Return what held-out documents cost by each, and what is saved."""
    first_N = model.reader.encode(corpus.first)
    chosen = _documents(model, corpus.chosen, first_N)
    tests = _documents(model, corpus.tests, first_N)
    progress.start("judge", 3)
    coded: list[Coded] = []
    gains: list[BitsSaved] = []
    for reads_on in (False, True):
        costs = _costs(model, corpus, (chosen, tests), reads_on)
        coded += [Coded(name, reads_on, _a_byte(bits, tests)) for name, bits in costs.items()]
        pairs = ((GPT, NGRAM), (MIXED, GPT), (MIXED, OF_TOKENS))
        gains += [BitsSaved(_told(a, reads_on), _told(b, reads_on),
                       _a_byte(costs[b] - costs[a], tests)) for a, b in pairs]  # fmt: skip
        progress.advance()
    for name, compress in _COMPRESSORS.items():
        coded.append(Coded(name, True, _compressed(compress, corpus.first, tests)))
    progress.advance()
    return tuple(coded), tuple(gains)


def _told(name: str, reads_on: bool) -> str:
    return f"{name}, reading on" if reads_on else name


def _documents(model: LanguageModel, texts: Mapping[str, str], first_N: Indices) -> _Documents:
    said = [text for text in texts.values() if text]
    return _Documents(said, [model.reader.encode(text) for text in said], first_N)


def _costs(
    model: LanguageModel, corpus: Corpus, sides: tuple[_Documents, _Documents], reads_on: bool
) -> dict[str, Doubles]:
    """Return the bits of each held-out document, by what says them."""
    (own_chosen, other_chosen), (own, other) = (
        (_by_network(model, side, reads_on), _by_ngram(model, side, reads_on)) for side in sides
    )
    weight = min(
        _WEIGHTS, key=lambda w: float(sum(map(np.sum, _mixed(own_chosen, other_chosen, w))))
    )
    tests = sides[1]
    return {
        NGRAM: _bytes_ngram(corpus.first, tests.texts, reads_on),
        OF_TOKENS: np.array([-np.log2(odds).sum() for odds in other]),
        GPT: np.array([bits.sum() for bits in own]),
        MIXED: np.array([bits.sum() for bits in _mixed(own, other, weight)]),
    }


def _by_network(model: LanguageModel, side: _Documents, reads_on: bool) -> list[Doubles]:
    if reads_on:
        return model.reading_bits(side.tokens)
    return [model.bits(tokens_N) for tokens_N in side.tokens]


def _by_ngram(model: LanguageModel, side: _Documents, reads_on: bool) -> list[Doubles]:
    parts = [side.first, *(np.concatenate([[END], tokens_N]) for tokens_N in side.tokens)]
    known = None if reads_on else len(side.first)
    odds_N = ngram(np.concatenate(parts), TOKENS_ORDER, model.shape.vocabulary, known)
    cuts = np.cumsum([len(part) for part in parts])[:-1]
    return [odds[1:] for odds in np.split(odds_N, cuts)[1:]]


def _mixed(own: Sequence[Doubles], other: Sequence[Doubles], weight: float) -> list[Doubles]:
    """Return bits by a weighted mean of probabilities: the network's, and the n-gram's."""
    return [
        -np.log2(weight * np.exp2(-bits) + (1 - weight) * odds)
        for bits, odds in zip(own, other, strict=True)
    ]


def _bytes_ngram(first: str, texts: Sequence[str], reads_on: bool) -> Doubles:
    parts = [np.frombuffer(text.encode(errors="replace"), np.uint8) for text in (first, *texts)]
    known = None if reads_on else len(parts[0])
    odds_N = ngram(np.concatenate(parts).astype(np.int64), BYTES_ORDER, 256, known)
    cuts = np.cumsum([len(part) for part in parts])[:-1]
    return np.array([-np.log2(odds).sum() for odds in np.split(odds_N, cuts)[1:]])


def _compressed(compress: Callable[[bytes], bytes], first: str, tests: _Documents) -> Estimate:
    """Return the bits a byte of all held-out text in its order, with no interval."""
    before, new = first.encode(errors="replace"), "".join(tests.texts).encode(errors="replace")
    more = len(compress(before + new)) - len(compress(before))
    return Estimate(8 * more / len(new), math.nan, math.nan)


def _a_byte(bits_D: Doubles, tests: _Documents) -> Estimate:
    """Return bits a byte with their interval over documents."""
    return ratio_interval(bits_D, tests.sizes, [str(i) for i in range(len(bits_D))])
