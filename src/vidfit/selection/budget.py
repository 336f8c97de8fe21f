"""What a race costs, and how far a budget takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vidfit.contracts import Cost, Failure, seconds_a_clip
from vidfit.selection.order import GROWTH, round_sizes
from vidfit.selection.recommend import Rule

FIRST_SHARE = 1 / 3
"""So much of a budget goes to the first round, in which all run."""


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
        Whether those who are left when the race ends run on all clips.
    rule
        Which of them is recommended in the end.
    """

    clips: int
    first: int
    budget_seconds: float | None = None
    keep: int = 1
    finish: bool = False
    rule: Rule = Rule()


class Purse:
    """The seconds that are left, and whom they pay for."""

    def __init__(self, costs: Mapping[str, Cost], rules: Rules) -> None:
        self._costs, self._rules = costs, rules
        self._left = math.inf if rules.budget_seconds is None else rules.budget_seconds

    def entrants(self) -> tuple[list[str], tuple[Failure, ...]]:
        """Leave the dearest out until the budget pays for the first round."""
        names = self.cheapest_first(self._costs)
        while len(names) > 1 and self._first_clips(names) < self._rules.first:
            names.pop()
        reason = "the budget does not pay for trying it on {} clips at {:.0f} ms a clip"
        return [name for name in self._costs if name in names], tuple(
            Failure(name, reason.format(self._rules.first, cost.seconds * 1e3))
            for name, cost in self._costs.items()
            if name not in names
        )

    def first_size(self, names: Sequence[str]) -> int:
        """Return how many clips the first round looks at."""
        first, clips = self._rules.first, self._rules.clips
        if math.isinf(self._left) or self._can_pay(names, clips):
            return min(first, clips)
        return min(max(first, self._first_clips(names)), clips)

    def pay(self, seconds: float) -> None:
        """Account for a round."""
        self._left -= seconds

    def cheapest_first(self, names: Iterable[str]) -> list[str]:
        """Order candidates by what a clip costs."""
        return sorted(names, key=lambda name: self._costs[name].seconds)

    def choose(
        self, wanted: Sequence[str], size: int, *, to_the_end: bool
    ) -> tuple[list[str], int]:
        """Return who runs next, and on how many clips; no more clips when nothing can be paid.

        Parameters
        ----------
        wanted
            Who should run, the most wanted first.
        size
            How many clips they have seen.
        to_the_end
            Whether they are to run on all clips now.
        """
        if self._can_pay(wanted, self._rules.clips - size):
            grown = next(s for s in round_sizes(self._rules.clips, self._rules.first) if s > size)
            return list(wanted), self._rules.clips if to_the_end else grown
        chosen: list[str] = []
        for name in wanted:
            if self._can_pay([*chosen, name], self._rules.clips - size):
                chosen.append(name)
        if chosen:
            return chosen, self._rules.clips
        if self._rules.finish:
            return self.cheapest_first(wanted)[:1], self._rules.clips
        few = list(wanted[: math.ceil(len(wanted) / GROWTH)])
        return few, size + max(0, int(self._left / self._a_clip(few)))

    def _first_clips(self, names: Sequence[str]) -> int:
        """Return on how many clips the first round's share of the budget lets them run."""
        if math.isinf(self._left):
            return self._rules.clips
        return int(FIRST_SHARE * self._left / self._a_clip(names))

    def _can_pay(self, names: Sequence[str], clips: int) -> bool:
        return clips * self._a_clip(names) <= self._left

    def _a_clip(self, names: Sequence[str]) -> float:
        return max(1e-9, seconds_a_clip([self._costs[name] for name in names]))
