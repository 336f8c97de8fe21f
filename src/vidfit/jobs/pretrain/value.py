"""What `pretrain` finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Estimate, Failure
from vidfit.training.sequences import SequenceLook


@dataclass(frozen=True)
class Coded:
    """What a document costs, in bits a byte, if something says how probable its text is.

    Parameters
    ----------
    name
        What says it.
    reads_on
        Whether it also learns from held-out documents, each once it was coded.
    bits
        A byte, over all held-out documents, with its interval over documents; ends are NaN where
        documents were not coded one by one.
    """

    name: str
    reads_on: bool
    bits: Estimate


@dataclass(frozen=True)
class BitsSaved:
    """Bits a byte that one saves against another on the same documents; above 0 it saves."""

    of: str
    over: str
    saves: Estimate

    @property
    def proven(self) -> bool:
        """Whether the interval lies above 0."""
        return self.saves.low > 0


@dataclass(frozen=True)
class TextAnswer:
    """How well labelled texts of unseen groups are answered.

    Parameters
    ----------
    name
        What answers.
    accuracy
        With its interval over groups.
    gain
        Points of accuracy over `WORDS`, with the interval; of that itself nothing.
    """

    name: str
    accuracy: Estimate
    gain: Estimate | None


@dataclass(frozen=True)
class Classified:
    """Labelled texts that the model was tried on.

    Parameters
    ----------
    source
        Name of the table.
    grouping
        What says which texts belong together.
    learned, tested, groups
        Texts that were learned from, texts and groups that were answered.
    """

    source: str
    grouping: str
    learned: int
    tested: int
    groups: int
    answered: tuple[TextAnswer, ...]

    @property
    def winner(self) -> TextAnswer | None:
        """The best answer of the model that is proven better than words; ``None`` without."""
        better = [one for one in self.answered if one.gain is not None and one.gain.low > 0]
        return max(better, key=lambda one: one.accuracy.value, default=None)


@dataclass(frozen=True)
class Pretraining:
    """A language model that was learned, and what it is worth.

    Parameters
    ----------
    coded
        Its own figures and those of others, given the same text first.
    gains
        Over the n-gram, and of the mixture with an n-gram over either alone.
    looks
        How learning went, in nats a token.
    documents, bytes_of
        Of each side: learn, choose, test.
    seen_before
        Share of the held-out text that stands word for word in what was learned from.
    sample
        A text that the model drew.
    classified
        Labelled texts that it was tried on, if any were given.
    """

    model: Path
    parameters: int
    steps: int
    passes: float
    cpu_seconds: float
    coded: tuple[Coded, ...]
    gains: tuple[BitsSaved, ...]
    looks: tuple[SequenceLook, ...]
    documents: Mapping[str, int]
    bytes_of: Mapping[str, int]
    bytes_a_token: float
    seen_before: float
    sample: str
    classified: Classified | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def own(self) -> Coded:
        """The model's figure if it reads on, as compressors do."""
        return next(one for one in self.coded if one.name == GPT and one.reads_on)

    @property
    def best_other(self) -> Coded:
        """The best of those that need no network."""
        others = [one for one in self.coded if one.name in PEERS and one.reads_on]
        return min(others, key=lambda one: one.bits.value)

    @property
    def learned(self) -> bool:
        """Whether it needs less than all of them."""
        return self.own.bits.value < self.best_other.bits.value


GPT, NGRAM, OF_TOKENS, MIXED = "gpt", "7-gram", "4-gram of tokens", "gpt with 4-gram"
WORDS, STATES, BOTH, TUNED = "words", "states", "words and states", "fine-tuned"
MAJORITY_CLASS = "majority class"
PEERS = (NGRAM, OF_TOKENS, "xz", "bz2")
"""What needs no network."""
