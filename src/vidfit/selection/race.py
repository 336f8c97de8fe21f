"""The race: candidates run on more and more clips; those that cannot win stop early.

Without a budget a candidate is dropped only when it is proven behind, by a paired test over
recordings whose error is shared among the rounds; the others run on three times as many clips.
It ends before all clips were seen only when the candidate that would be recommended is cleared:
nobody left can be better than it by more than another round is worth.

Under a budget there are two rounds. A third of the seconds lets all run on some clips. Those
whose paired interval to the leader contains zero may all be the best, and what tells them apart
is only more clips: as many of them as the rest of the budget pays for run on all clips, the
cheapest first. Halving by accuracy instead (Jamieson and Talwalkar 2016, "Non-stochastic best
arm identification and hyperparameter optimization") goes by noise: in the first round the order
of equals is chance, and a dear one among them keeps several cheap ones out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vidfit.contracts import Cost, Estimate, Failure
from vidfit.metrics import Scored
from vidfit.selection.budget import Purse, Rules
from vidfit.selection.order import round_sizes
from vidfit.selection.recommend import recommend
from vidfit.selection.ties import tied_with_best, upper_gain
from vidfit.shown import counted

ERROR = 0.05
"""Chance that the best candidate is ever dropped as proven behind."""

WORTH = 0.01
"""A lead of less than a point of accuracy over the best is not worth another round."""


@dataclass(frozen=True)
class Trial:
    """What candidates did on the clips of one round.

    Parameters
    ----------
    names
        The candidates that answered, in the order of ``scored``.
    scored
        Their held-out answers, scored by recording.
    merits
        By candidate, what candidates are ordered by: higher is better.
    failures
        Candidates that could not answer, with the reason.
    seconds
        Seconds of decode and inference that the round took, added over threads.
    """

    names: tuple[str, ...]
    scored: Scored
    merits: Mapping[str, float]
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def clips(self) -> int:
        """How many clips they answered."""
        return int(self.scored.clips_G.sum())

    def of(self, names: Sequence[str]) -> Scored:
        """Return some of the candidates, in this order."""
        return self.scored.only([self.names.index(name) for name in names])

    def lead(self, first: str, second: str) -> Estimate:
        """Return by how much one candidate is ahead of another."""
        return self.of([first, second]).lead(0, 1)


@dataclass(frozen=True)
class Round:
    """A finished round: the trial, and who was dropped after it and why.

    ``unproven`` are those of them who may have been the best, but were not paid for.
    """

    clips: int
    trial: Trial
    dropped: tuple[Failure, ...]
    unproven: tuple[str, ...] = ()


@dataclass(frozen=True)
class Race:
    """A finished race.

    ``untried`` never ran; ``finalists`` ran to the end, best first.
    """

    untried: tuple[Failure, ...]
    rounds: tuple[Round, ...]
    finalists: tuple[str, ...]
    ended: str


Run = Callable[[Sequence[str], int], Trial]
"""Candidates and a number of clips -> what they did on that number of first clips."""


def race(costs: Mapping[str, Cost], run: Run, rules: Rules) -> Race:
    """Run the race.

    Parameters
    ----------
    costs
        The candidates, with what each costs.
    run
        Runs candidates; is called once a round, with those still alive.
    """
    purse = Purse(costs, rules)
    alive, untried = purse.entrants()
    size, ended, rounds = purse.first_size(alive), "", list[Round]()
    while True:
        trial = run(alive, size)
        purse.pay(trial.seconds)
        ranked = _best_first(trial)
        if size >= rules.clips:
            rounds.append(_round(size, trial, [], []))
            return Race(untried, tuple(rounds), tuple(ranked), ended or "all clips were seen")
        behind = _proven_behind(ranked, trial, rules)
        alive = [name for name in ranked if name not in behind]
        ended = _clear(alive, trial, costs, rules)
        chosen, more = alive, size
        if not ended or rules.finish:
            wanted = _wanted(alive, trial, purse)
            chosen, more = purse.choose(wanted, size, to_the_end=bool(ended))
        if more <= size:
            rounds.append(_round(size, trial, behind, []))
            return Race(untried, tuple(rounds), tuple(alive), ended or "the budget is spent")
        rounds.append(_round(size, trial, behind, [n for n in alive if n not in chosen]))
        alive, size = chosen, more


def _wanted(ranked: Sequence[str], trial: Trial, purse: Purse) -> list[str]:
    """Order who should run on: those who may be the best, the cheapest first; then the others."""
    hopeful = [name for name in ranked if not trial.lead(ranked[0], name).low > 0]
    return [*purse.cheapest_first(hopeful), *(name for name in ranked if name not in hopeful)]


def _best_first(trial: Trial) -> list[str]:
    return sorted(trial.names, key=lambda name: -trial.merits[name])


def _round(size: int, trial: Trial, behind: Sequence[str], unpaid: Sequence[str]) -> Round:
    """Return a finished round with the reasons of those dropped after it."""
    why = dict.fromkeys(behind, "proven behind")
    why |= dict.fromkeys(unpaid, "unproven, but the budget pays for fewer")
    dropped = [Failure(name, f"{_standing(name, trial)}: {word}") for name, word in why.items()]
    return Round(size, trial, (*trial.failures, *dropped), tuple(unpaid))


def _proven_behind(ranked: Sequence[str], trial: Trial, rules: Rules) -> list[str]:
    """Return who cannot catch up, the worst first, but leave as many as are to be kept."""
    if len(ranked) < 2:
        return []
    rounds = len(round_sizes(rules.clips, rules.first))
    hopeful_C = tied_with_best(trial.of(ranked), level=ERROR / rounds)
    behind = [name for name, hope in zip(ranked, hopeful_C, strict=True) if not hope]
    return behind[::-1][: max(0, len(ranked) - rules.keep)]


def _clear(ranked: Sequence[str], trial: Trial, costs: Mapping[str, Cost], rules: Rules) -> str:
    """Return why the recommended one can be taken without another round, or nothing."""
    if len(ranked) == 1:
        return f"{ranked[0]} is left alone"
    scored = trial.of(ranked)
    recommended = recommend(scored, [costs[name] for name in ranked], rules.rule)
    # Who takes a cheaper one than the best has said what that may lose.
    least = WORTH * rules.rule.whole
    worth = least if recommended == 0 else max(least, rules.rule.most)
    gain_C = upper_gain(scored, recommended)
    if (gain_C <= worth).all():
        times, points = _unit(scored)
        most = f"{worth * times:g}{points[: -1 if worth == least else None]}"
        return f"none of those left can be {most} better than {ranked[recommended]}"
    return ""


def _standing(name: str, trial: Trial) -> str:
    """Say how a candidate stood in a round."""
    best = max(trial.names, key=lambda other: trial.merits[other])
    behind, (times, points) = trial.lead(best, name), _unit(trial.scored)
    digits = 1 if points else 3
    value, low, high = (
        f"{figure * times:.{digits}f}" for figure in (behind.value, behind.low, behind.high)
    )
    return f"{value}{points} [{low}, {high}] behind {best} on {counted(trial.clips, 'clip')}"


def _unit(scored: Scored) -> tuple[float, str]:
    """Return by what differences are multiplied to be read, and the unit; losses have none."""
    return (1.0, "") if scored.measure.kind == "unbounded" else (100.0, " points")
