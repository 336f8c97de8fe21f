"""Stage by stage: each is tried on the clips that choose, and kept only where nothing is lost.

A stage becomes the best where its distance is smaller than that of the best so far and its recall
is no lower. So what results is on those clips never worse than the best that draws alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vidfit.contracts import Estimate, Frames
from vidfit.jobs.generate.makers import Makers
from vidfit.jobs.generate.value import GeneratorStage
from vidfit.metrics.generated import Points
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.looks import (
    ClipLooks,
    DrawnScores,
    LookSpace,
    RealClips,
    gained,
    scored,
)
from vidfit.pixels.generate.members import ClipDrawer, LatentMember, SharedPool, drawn_labels
from vidfit.pixels.generate.shares import shares_of
from vidfit.pixels.generate.vae import VideoVae

DRAWS = 2
"""Sets that each way draws to be judged."""

CHOOSING, JUDGING = 1_000, 2_000
"""Seeds from which on clips are drawn for either."""

VAE, WITH_FLOW, WITH_TOKENS, POOL = "VAE alone", "flow prior", "GPT over tokens", "pool"


class Measuring:
    """Places clips as the frozen encoder sees them, on the scale of those learned from."""

    def __init__(self, learned: ClipBank) -> None:
        self.looks = ClipLooks()
        seen = self.looks.of(learned.frames_NTSSC)
        self.space = LookSpace.of(seen)
        self.learned_ND = self.space.place(seen)

    def place(self, frames: Frames) -> Points:
        """Return points of clips."""
        return self.space.place(self.looks.of(frames))

    def real(self, bank: ClipBank) -> RealClips:
        """Return points of real clips."""
        return RealClips(self.place(bank.frames_NTSSC), bank.groups)

    def draws(self, drawer: ClipDrawer, count: int, makers: Makers, seed: int) -> list[Points]:
        """Return points of sets that a way draws."""
        sizes = makers.material.sizes
        found = []
        for draw in range(DRAWS):
            if makers.stop():  # nothing is lost: what was learned has its checkpoint
                raise KeyboardInterrupt
            own = 10_000 * makers.options.seed + seed + draw
            found.append(self.place(drawer.draw(drawn_labels(count, sizes, own), own)))
        return found


@dataclass
class StageChain:
    """Ways to draw that were tried, and the best of them."""

    makers: Makers
    measuring: Measuring
    real: RealClips
    stages: list[GeneratorStage] = field(default_factory=list)
    drawers: dict[str, ClipDrawer] = field(default_factory=dict)
    best: str = ""
    drawn: dict[str, list[Points]] = field(default_factory=dict)

    def attempt(self, drawer: ClipDrawer, cpu_seconds: float) -> bool:
        """Judge a way to draw beside the best so far; return whether it is the best now."""
        name = drawer.name
        draws = self.measuring.draws(drawer, len(self.real.groups), self.makers, CHOOSING)
        scores = scored(self.real, draws)
        self.drawers[name], self.drawn[name] = drawer, draws
        nothing = Estimate(0.0, 0.0, 0.0)
        lead = gained(self.real, draws, self.drawn[self.best]) if self.best else nothing
        kept, why = True, "the first"
        if self.best:
            kept, why = verdict(scores, self.scores(self.best), self.best)
        self.stages.append(GeneratorStage(name, cpu_seconds, scores, lead, kept, why))
        self.best = name if kept else self.best
        said = f"{name}: distance {scores.distance.value:.1f}, recall {scores.manifolds.recall:.2f}"
        self.makers.progress.note(f"{said}; {'kept' if kept else 'not kept'}: {why}")
        return kept

    def scores(self, name: str) -> DrawnScores:
        """Return what was measured of a way, on the clips that choose."""
        return next(s.choosing for s in self.stages if s.name == name)


def verdict(new: DrawnScores, old: DrawnScores, name: str) -> tuple[bool, str]:
    """Return whether a way takes the place of the old one, which has a name, and what decided."""
    if new.distance.value >= old.distance.value:
        return False, f"no nearer than {name}"
    if new.manifolds.recall < old.manifolds.recall:
        return False, f"nearer than {name}, but it covers less"
    return True, f"nearer than {name}, and covers no less"


def members_of(makers: Makers, chain: StageChain) -> VideoVae:
    """Train and try all that draw alone; return the VAE that the flow is over."""
    sizes, spent = makers.material.sizes, makers.seconds
    vae = makers.vae("VAE")
    longer = makers.longer("VAE, longer", vae)
    alone = LatentMember(VAE, sizes, longer.decoder)
    chain.attempt(alone, spent["VAE"] + spent["VAE, longer"])
    flow = makers.flow("flow over the VAE", vae)
    with_flow = LatentMember(WITH_FLOW, sizes, vae.decoder, flow)
    chain.attempt(with_flow, spent["VAE"] + spent["flow over the VAE"])
    chain.attempt(makers.tokens(WITH_TOKENS), spent[WITH_TOKENS])
    return vae


def combine(chain: StageChain) -> None:
    """Try a pool of all that draw alone, each with the share that brings it nearest."""
    names = list(chain.drawers)
    shares = shares_of(
        chain.real.points_ND, [chain.drawn[name][0] for name in names], names.index(chain.best)
    )
    some = [place for place, share in enumerate(shares) if share]
    if len(some) < 2:
        return
    members = [chain.drawers[names[place]] for place in some]
    pool = SharedPool(POOL, chain.makers.material.sizes, members, [shares[p] for p in some])
    seconds = sum(s.cpu_seconds for s in chain.stages if s.name in {m.name for m in members})
    chain.attempt(pool, seconds)


def best_member(chain: StageChain) -> str:
    """Return the best that draws alone."""
    return [s.name for s in chain.stages if s.kept and s.name != POOL][-1]
