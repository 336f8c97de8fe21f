"""The race: candidates run on more and more clips; those that cannot win stop early.

Without a budget a candidate is dropped only when it is proven behind, by a paired test over
recordings whose error is shared among the rounds. Under a budget the worse two thirds of what
is left are dropped after each round, proven or not, and each round gets an equal share of the
seconds: successive halving (Jamieson and Talwalkar 2016, "Non-stochastic best arm
identification and hyperparameter optimization"; Karnin, Koren and Somekh 2013). Seconds are
spent at each candidate's own measured cost, so that cheap ones run on more clips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidfit.contracts import Failure, Floats
from vidfit.metrics import mean_interval
from vidfit.selection.order import GROWTH, round_sizes
from vidfit.selection.ties import tied_with_best, upper_gain

ERROR = 0.05
"""Chance that the best candidate is ever dropped as proven behind."""

WORTH = 0.01
"""A lead of less than a point of accuracy is not worth another round."""


@dataclass(frozen=True)
class Cost:
    """Measured seconds of one clip on one thread, and bytes that loading took."""

    decode_seconds: float
    forward_seconds: float
    memory_bytes: int

    @property
    def seconds(self) -> float:
        """Decode and forward."""
        return self.decode_seconds + self.forward_seconds


def seconds_a_clip(costs: Sequence[Cost]) -> float:
    """Return what one clip takes by several candidates: one decode, all forwards."""
    if not costs:
        return 0.0
    return max(c.decode_seconds for c in costs) + sum(c.forward_seconds for c in costs)


@dataclass(frozen=True)
class Trial:
    """What candidates did on the clips of one round.

    Parameters
    ----------
    hits
        By candidate, 1.0 where the held-out answer is the label, else 0.0, [M].
    merits
        By candidate, what candidates are ordered by: higher is better.
    groups
        The recording of each clip.
    failures
        Candidates that could not answer, with the reason.
    seconds
        Seconds of decode and inference that the round took, added over threads.
    """

    hits: Mapping[str, Floats]
    merits: Mapping[str, float]
    groups: Sequence[str]
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True)
class Round:
    """A finished round: the trial, and who was dropped after it and why."""

    clips: int
    trial: Trial
    dropped: tuple[Failure, ...]


@dataclass(frozen=True)
class Race:
    """A finished race.

    ``untried`` never ran; ``finalists`` ran to the end, best first.
    """

    untried: tuple[Failure, ...]
    rounds: tuple[Round, ...]
    finalists: tuple[str, ...]
    ended: str


@dataclass(frozen=True)
class Rules:
    """How a race is run.

    Parameters
    ----------
    clips
        How many there are.
    first
        How many the first round looks at.
    budget_seconds
        Most seconds of decode and inference, added over threads; ``None`` is no limit.
    keep
        So many are never dropped as proven behind: a fusion wants members.
    finish
        Whether those who are left when the race ends run on all clips. Half of the budget is
        kept for that.
    """

    clips: int
    first: int
    budget_seconds: float | None = None
    keep: int = 1
    finish: bool = False


Measure = Callable[[Sequence[str], int], Trial]
"""Candidates and a number of clips -> what they did on the first so many clips."""


def race(costs: Mapping[str, Cost], measure: Measure, rules: Rules) -> Race:
    """Run the race.

    Parameters
    ----------
    costs
        The candidates, with what each costs.
    measure
        Runs candidates; is called once a round, with those still alive.
    """
    pace = _Pace(costs, rules)
    alive, untried = pace.entrants()
    size, ended, rounds = pace.first_size(alive), "", list[Round]()
    while not ended:
        trial = measure(alive, size)
        pace.pay(trial.seconds)
        ranked = _best_first(trial)
        behind = [] if size >= rules.clips else _proven_behind(ranked, trial, rules)
        alive = [name for name in ranked if name not in behind]
        ended = pace.ended(alive, size) or _clear(alive, trial)
        kept = alive if ended else alive[: pace.survivors(alive, size)]
        rounds.append(_round(size, trial, behind, [name for name in alive if name not in kept]))
        alive, seen = kept, size
        size = size if ended else pace.next_size(alive, size)
    if rules.finish and seen < rules.clips:
        kept = pace.finishers(alive, seen)
        rounds[-1] = _round(seen, trial, behind, [name for name in alive if name not in kept])
        trial = measure(kept, rules.clips)
        rounds.append(Round(rules.clips, trial, trial.failures))
        alive = _best_first(trial)
    return Race(untried, tuple(rounds), tuple(alive), ended)


def _best_first(trial: Trial) -> list[str]:
    return sorted(trial.hits, key=lambda name: -trial.merits[name])


def _round(size: int, trial: Trial, behind: Sequence[str], unpaid: Sequence[str]) -> Round:
    """Return a finished round with the reasons of those dropped after it."""
    why = dict.fromkeys(behind, "proven behind")
    why |= dict.fromkeys(unpaid, "unproven, but the budget pays for fewer")
    dropped = [Failure(name, f"{_standing(name, trial)}: {word}") for name, word in why.items()]
    return Round(size, trial, (*trial.failures, *dropped))


def _proven_behind(ranked: Sequence[str], trial: Trial, rules: Rules) -> list[str]:
    """Return who cannot catch up, the worst first, but leave as many as are to be kept."""
    if len(ranked) < 2:
        return []
    hits_CM = np.stack([trial.hits[name] for name in ranked])
    rounds = len(round_sizes(rules.clips, rules.first))
    hopeful_C = tied_with_best(hits_CM, trial.groups, level=ERROR / rounds)
    behind = [name for name, hope in zip(ranked, hopeful_C, strict=True) if not hope]
    return behind[::-1][: max(0, len(ranked) - rules.keep)]


def _clear(ranked: Sequence[str], trial: Trial) -> str:
    """Return why the leader can be taken without another round, or nothing."""
    if len(ranked) == 1:
        return f"{ranked[0]} is left alone"
    gain_C = upper_gain(np.stack([trial.hits[name] for name in ranked]), trial.groups, leader=0)
    if (gain_C <= WORTH).all():
        return f"none of those left can be {WORTH * 100:g} point better than {ranked[0]}"
    return ""


def _standing(name: str, trial: Trial) -> str:
    """Say how a candidate stood in a round."""
    best = max(trial.hits, key=lambda other: trial.merits[other])
    behind = mean_interval(trial.hits[best] - trial.hits[name], trial.groups)
    return (
        f"{behind.value * 100:.1f} points [{behind.low * 100:.1f}, {behind.high * 100:.1f}] behind "
        f"{best} on {len(trial.groups)} clips"
    )


class _Pace:
    """How fast the race goes: how many clips next, and how many candidates can be paid for."""

    def __init__(self, costs: Mapping[str, Cost], rules: Rules) -> None:
        self._costs, self._rules = costs, rules
        budget = math.inf if rules.budget_seconds is None else rules.budget_seconds
        self._reserve = budget / 2 if rules.finish and math.isfinite(budget) else 0.0
        self._left = budget - self._reserve
        self._rounds_left = _rounds_to_one(len(costs))

    @property
    def _limited(self) -> bool:
        return math.isfinite(self._left)

    def entrants(self) -> tuple[list[str], tuple[Failure, ...]]:
        """Leave the dearest out until the budget pays for the first round."""
        names = sorted(self._costs, key=lambda name: self._costs[name].seconds)
        while len(names) > 1 and self._payable(names) < self._rules.first:
            names.pop()
            self._rounds_left = _rounds_to_one(len(names))
        entrants = [name for name in self._costs if name in names]
        reason = "the budget does not pay for trying it on {} clips at {:.0f} ms a clip"
        return entrants, tuple(
            Failure(name, reason.format(self._rules.first, cost.seconds * 1e3))
            for name, cost in self._costs.items()
            if name not in names
        )

    def first_size(self, alive: Sequence[str]) -> int:
        """Return how many clips the first round looks at."""
        first = self._payable(alive) if self._limited else self._rules.first
        return min(max(first, self._rules.first), self._rules.clips)

    def pay(self, seconds: float) -> None:
        """Account for a round."""
        self._left -= seconds
        self._rounds_left -= 1

    def ended(self, alive: Sequence[str], size: int) -> str:
        """Return why there is no further round, or nothing."""
        if size >= self._rules.clips:
            return "all clips were seen"
        if self._limited and (self._rounds_left < 1 or self._payable(alive[:1]) < 1):
            return "the budget is spent"
        return ""

    def survivors(self, alive: Sequence[str], size: int) -> int:
        """Return how many of the best go on: a third, or more if they can be paid to the end."""
        if not self._limited:
            return len(alive)
        count = math.ceil(len(alive) / GROWTH)
        while count < len(alive) and self._pays_for_all(alive[: count + 1], size):
            count += 1
        return count

    def next_size(self, alive: Sequence[str], size: int) -> int:
        """Return how many clips the next round looks at."""
        if not self._limited:
            return next(s for s in round_sizes(self._rules.clips, self._rules.first) if s > size)
        if self._pays_for_all(alive, size):
            return self._rules.clips
        return min(size + max(1, self._payable(alive)), self._rules.clips)

    def finishers(self, alive: Sequence[str], size: int) -> list[str]:
        """Return who runs on all clips: as many of the best as can be paid, at least one."""
        self._left += self._reserve
        count = len(alive)
        while count > 0 and not self._pays_for_all(alive[:count], size):
            count -= 1
        cheapest = min(alive, key=lambda name: self._costs[name].seconds)
        payable = (name for name in alive if self._pays_for_all([name], size))
        return list(alive[:count]) or [next(payable, cheapest)]

    def _pays_for_all(self, alive: Sequence[str], size: int) -> bool:
        return (self._rules.clips - size) * self._a_clip(alive) <= self._left

    def _payable(self, alive: Sequence[str]) -> int:
        """Return for how many clips of some candidates a round's share of the budget pays."""
        share = self._left / max(1, self._rounds_left)
        return self._rules.clips if math.isinf(share) else int(share / self._a_clip(alive))

    def _a_clip(self, alive: Sequence[str]) -> float:
        return max(1e-9, seconds_a_clip([self._costs[name] for name in alive]))


def _rounds_to_one(candidates: int) -> int:
    """Return after how many rounds one candidate is left, if each leaves a third."""
    rounds = 0
    while candidates > 1:
        candidates, rounds = math.ceil(candidates / GROWTH), rounds + 1
    return max(1, rounds)
