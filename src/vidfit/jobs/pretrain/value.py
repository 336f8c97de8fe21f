"""What `pretrain` finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vidfit.contracts import Estimate, Failure
from vidfit.training.sequences import Look


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
class Gain:
    """Bits a byte that one saves against another on the same documents; above 0 it saves."""

    of: str
    over: str
    saves: Estimate

    @property
    def proven(self) -> bool:
        """Whether the interval lies above 0."""
        return self.saves.low > 0


@dataclass(frozen=True)
class Pretraining:
    """A language model that was learned, and what it is worth.

    Parameters
    ----------
    coded
        Its own figures and those of others, given the same text first.
    gains
        Over the n-gram, and of the mixture with it over the model alone.
    looks
        How learning went, in nats a token.
    documents, bytes_of
        Of each side: learn, choose, test.
    seen_before
        Share of the held-out text that stands word for word in what was learned from.
    sample
        A text that the model drew.
    """

    model: Path
    parameters: int
    steps: int
    passes: float
    cpu_seconds: float
    coded: tuple[Coded, ...]
    gains: tuple[Gain, ...]
    looks: tuple[Look, ...]
    documents: Mapping[str, int]
    bytes_of: Mapping[str, int]
    bytes_a_token: float
    seen_before: float
    sample: str
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


GPT, NGRAM, MIXED = "gpt", "7-gram", "gpt with n-gram"
PEERS = (NGRAM, "xz", "bz2")
"""What needs no network."""
