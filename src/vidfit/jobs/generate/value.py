"""What was measured of a generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vidfit.contracts import Estimate, Failure
from vidfit.pixels.generate.looks import DrawnScores
from vidfit.pixels.generate.nearest import NearestLearned


@dataclass(frozen=True)
class GeneratorStage:
    """A way to draw clips, and what became of it.

    Parameters
    ----------
    cpu_seconds
        That it takes to learn it, with all that it stands on.
    choosing
        On the clips that choose.
    lead
        How much nearer it lies than what was best before it; above 0 is better.
    kept
        Whether it became the best.
    why
        What decided.
    """

    name: str
    cpu_seconds: float
    choosing: DrawnScores
    lead: Estimate
    kept: bool
    why: str


@dataclass(frozen=True)
class NearPair:
    """A drawn clip and the clip that was learned from that lies nearest, as PNG strips."""

    drawn: bytes
    learned: bytes
    name: str
    distance: float


@dataclass(frozen=True)
class GenerationReport:
    """A generator, how it was put together, and how its clips lie beside real ones.

    Parameters
    ----------
    encoder
        The frozen encoder that measures.
    learned, choosing, judging
        Windows of clips of each part; ``recordings`` are those of each.
    stages
        In the order of their trial, with figures of the clips that choose.
    chosen, member
        Names of the result, and of the best that draws alone.
    result, of_member, of_vae, real
        On the clips that judge: of the result, the best that draws alone, the VAE alone, and of
        as many clips that were learned from, which no generator is asked to beat.
    over_member, over_vae
        How much nearer the result lies, with intervals of pairs.
    nearest
        Whether it copies.
    active, latent
        Latent numbers of the VAE that vary, and how many there are.
    decibels
        Of clips that judge, encoded and decoded by the VAE.
    learning_seconds, measuring_seconds
        Of the processor.
    """

    data: str
    encoder: str
    sizes: Mapping[str, Any]
    learned: int
    choosing: int
    judging: int
    recordings: tuple[int, int, int]
    stages: tuple[GeneratorStage, ...]
    chosen: str
    member: str
    result: DrawnScores
    of_member: DrawnScores
    of_vae: DrawnScores
    real: DrawnScores
    over_member: Estimate
    over_vae: Estimate
    nearest: NearestLearned
    active: int
    latent: int
    decibels: float
    learning_seconds: float
    measuring_seconds: float
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    pairs: tuple[NearPair, ...] = ()
    sheet: bytes = b""

    @property
    def classes(self) -> tuple[str, ...]:
        """That can be asked for."""
        return tuple(self.sizes["classes"])


@dataclass(frozen=True)
class PooledGenerator:
    """A generator that a pool was made of: its share, and its clips beside real ones."""

    name: str
    share: float
    choosing: DrawnScores
    judging: DrawnScores


@dataclass(frozen=True)
class GeneratorPool:
    """Generators that were fitted apart, and whether they draw better together.

    Parameters
    ----------
    choosing, judging
        Windows of clips that chose the shares and whether the pool is kept, and of those that
        judge.
    members
        In the order in which they were given.
    best
        Name of the one that is nearest alone, on the clips that choose.
    kept, why
        Whether the pool is the result, and what decided; else the best alone is.
    pool_choosing, pool_judging
        ``None`` where nothing was to be gained by a second generator.
    lead
        How much nearer the pool lies than the best alone, on the clips that judge.
    """

    data: str
    encoder: str
    choosing: int
    judging: int
    members: tuple[PooledGenerator, ...]
    best: str
    kept: bool
    why: str
    pool_choosing: DrawnScores | None
    pool_judging: DrawnScores | None
    lead: Estimate
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
