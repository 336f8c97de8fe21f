"""Stage by stage: each is tried on the clips that choose, and kept only where nothing is lost.

A stage becomes the best where its distance is smaller than that of the best so far and its recall
is no lower. So what results is on those clips never worse than the best that draws alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vidfit.contracts import Estimate, Frames
from vidfit.jobs.generate.makers import LONGER, SHORT, Makers
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
from vidfit.pixels.generate.members import ClipDrawer, LatentMember, drawn_labels
from vidfit.pixels.generate.vae import VideoVae

DRAWS = 2
"""Sets that each way draws to be judged."""

CHOOSING, JUDGING = 1_000, 2_000
"""Seeds from which on clips are drawn for either."""

VAE, WITH_FLOW = "VAE alone", "flow prior"
WITH_LONGER, WITH_POLISH = "longer VAE and flow prior", "adversarial polish"
WITH_TOKENS, WITH_CRITIC, WITH_POOL = "GPT over tokens", "critic rejection", "pool and critic"


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
    _drawn: dict[str, list[Points]] = field(default_factory=dict)

    def attempt(self, drawer: ClipDrawer, cpu_seconds: float) -> bool:
        """Judge a way to draw beside the best so far; return whether it is the best now."""
        name = drawer.name
        draws = self.measuring.draws(drawer, len(self.real.groups), self.makers, CHOOSING)
        scores = scored(self.real, draws)
        self.drawers[name], self._drawn[name] = drawer, draws
        nothing = Estimate(0.0, 0.0, 0.0)
        lead = gained(self.real, draws, self._drawn[self.best]) if self.best else nothing
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
    """Train and try all that draw alone; return the longer VAE."""
    sizes, spent = makers.material.sizes, makers.seconds
    longer = makers.vae("longer VAE", LONGER)
    chain.attempt(LatentMember(VAE, sizes, longer.decoder), spent["longer VAE"])
    short = makers.vae("VAE", SHORT)
    flow = makers.flow("flow over the VAE", short)
    cost = spent["VAE"] + spent["flow over the VAE"]
    chain.attempt(LatentMember(WITH_FLOW, sizes, short.decoder, flow), cost)
    second = makers.flow("flow over the longer VAE", longer)
    cost_longer = spent["longer VAE"] + spent["flow over the longer VAE"]
    chain.attempt(LatentMember(WITH_LONGER, sizes, longer.decoder, second), cost_longer)
    polished = makers.polished("polish", short, flow)
    cost += spent["polish"]
    chain.attempt(LatentMember(WITH_POLISH, sizes, polished.decoder, flow), cost)
    tokens = makers.tokens(WITH_TOKENS)
    chain.attempt(tokens, spent[WITH_TOKENS])
    return longer


def combine(makers: Makers, chain: StageChain) -> None:
    """Try a critic over the best that draws alone, and over a pool of all but the bare VAE."""
    alone, spent = chain.drawers[chain.best], makers.seconds
    cost = next(s.cpu_seconds for s in chain.stages if s.name == chain.best)
    pool = makers.chosen_by_critic(WITH_CRITIC, [alone])
    chain.attempt(pool, cost + spent[WITH_CRITIC])
    members = pool_of(chain, alone)
    if len(members) > 1:
        wide = makers.chosen_by_critic(WITH_POOL, members)
        chain.attempt(wide, sum(spent.values()) - spent[WITH_CRITIC])


def pool_of(chain: StageChain, alone: ClipDrawer) -> Sequence[ClipDrawer]:
    """Return what draws alone, the best first, without the bare VAE unless it is the best."""
    others = [chain.drawers[s.name] for s in chain.stages if s.name not in (VAE, WITH_CRITIC)]
    return [alone, *(d for d in others if d.name != alone.name)]
