"""Losers stop early, the best runs to the end, and the budget is kept."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.contracts import Cost, Failure
from vidfit.metrics import score_values
from vidfit.selection import Rule, Rules, Trial, race

CLIPS = 400


class Runs:
    """Candidates of known accuracy on clips that are alike difficult for all."""

    def __init__(self, accuracy, costs=None, seed=0, fails_at=None):
        rng = np.random.default_rng(seed)
        difficulty_M = rng.random(CLIPS)
        self.hits = {
            name: (
                np.where(rng.random(CLIPS) < 0.2, difficulty_M, rng.random(CLIPS)) < value
            ).astype(np.float32)
            for name, value in accuracy.items()
        }
        self.costs = {name: Cost(0.01, (costs or {}).get(name, 0.04), 0) for name in accuracy}
        self.fails_at = fails_at or {}
        self.asked = []
        self._seen = 0

    def measure(self, names, size):
        self.asked.append((tuple(names), size))
        failing = [name for name in names if self.fails_at.get(name, CLIPS + 1) <= size]
        alive = [name for name in names if name not in failing]
        decode = max(self.costs[name].decode_seconds for name in names)
        seconds = decode + sum(self.costs[name].forward_seconds for name in names)
        spent, self._seen = (size - self._seen) * seconds, size
        return Trial(
            tuple(alive),
            score_values(
                [self.hits[name][:size] for name in alive], [f"r{i // 2}" for i in range(size)]
            ),
            {name: float(self.hits[name][:size].mean()) for name in alive},
            tuple(Failure(name, "it broke") for name in failing),
            spent,
        )

    def spent(self):
        total, seen = 0.0, 0
        for names, size in self.asked:
            total += (size - seen) * (0.01 + sum(self.costs[n].forward_seconds for n in names))
            seen = size
        return total


def reasons(found):
    return {f.name: f.reason for finished in found.rounds for f in finished.dropped}


def test_without_a_budget_only_the_proven_losers_are_dropped():
    runs = Runs({"good": 0.8, "fair": 0.78, "bad": 0.35})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert "bad" in reasons(found) and "proven behind" in reasons(found)["bad"]
    assert "points [" in reasons(found)["bad"]
    assert set(found.finalists) == {"good", "fair"}
    assert found.ended == "all clips were seen"
    assert runs.asked[0] == (("good", "fair", "bad"), 24)
    assert [size for _, size in runs.asked] == [24, 72, 216, 400]
    assert "bad" not in runs.asked[-1][0]


def test_it_ends_when_the_leader_is_alone():
    runs = Runs({"good": 0.95, "bad": 0.2})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert found.finalists == ("good",)
    assert found.ended == "good is left alone"
    assert len(runs.asked) == 1


def test_it_ends_when_only_ties_remain():
    runs = Runs({"one": 0.7})
    runs.hits["copy"], runs.costs["copy"] = runs.hits["one"], runs.costs["one"]
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert set(found.finalists) == {"one", "copy"}
    assert "1 point better" in found.ended
    assert len(runs.asked) == 1


def test_those_to_be_kept_stay_and_finish():
    runs = Runs({"good": 0.95, "bad": 0.3, "worse": 0.2, "worst": 0.02})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, keep=3, finish=True))
    assert found.finalists == ("good", "bad", "worse")
    assert runs.asked[-1][1] == CLIPS
    assert list(reasons(found)) == ["worst"]


@pytest.mark.parametrize(
    ("share", "finish"), [(0.15, False), (0.25, False), (0.25, True), (0.5, False), (0.5, True)]
)
def test_a_budget_is_kept(share, finish):
    names = [f"c{i}" for i in range(12)]
    runs = Runs(dict(zip(names, np.linspace(0.5, 0.8, 12), strict=True)), seed=1)
    whole = CLIPS * (0.01 + 12 * 0.04)
    rules = Rules(CLIPS, 24, share * whole, finish=finish)
    found = race(runs.costs, runs.measure, rules)
    assert runs.spent() <= share * whole
    sizes = [size for _, size in runs.asked]
    assert sizes == sorted(set(sizes))
    if share >= 0.25:
        assert found.finalists[0] in names[6:]
    if finish:
        assert sizes[-1] == CLIPS


def test_a_budget_for_everything_drops_only_the_proven():
    runs = Runs({"a": 0.7, "b": 0.71, "c": 0.72, "d": 0.73})
    whole = CLIPS * (0.01 + 4 * 0.04)
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, 1.01 * whole))
    assert set(found.finalists) == {"a", "b", "c", "d"} - {
        name for name, reason in reasons(found).items() if "proven behind" in reason
    }
    assert not any("unproven" in reason for reason in reasons(found).values())


def test_what_a_small_budget_cannot_try_is_named():
    runs = Runs({"cheap": 0.6, "dear": 0.9}, {"cheap": 0.01, "dear": 5.0})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, 10.0))
    (untried,) = found.untried
    assert untried.name == "dear" and "5010 ms a clip" in untried.reason
    assert found.finalists == ("cheap",)


def test_a_candidate_that_fails_on_the_way_is_named_and_the_others_go_on():
    runs = Runs({"a": 0.7, "b": 0.71, "flaky": 0.9}, fails_at={"flaky": 72})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert reasons(found)["flaky"] == "it broke"
    assert set(found.finalists) == {"a", "b"}


def test_a_single_candidate_needs_no_race():
    runs = Runs({"only": 0.5})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert found.finalists == ("only",) and len(runs.asked) == 1


def test_under_a_budget_those_that_may_be_the_best_run_on_the_cheapest_first():
    """Two dear ones and three cheap ones are alike on a few clips; all cheap ones are paid for."""
    names = {"dear": 0.7, "dear too": 0.71, "a": 0.7, "b": 0.7, "c": 0.7}
    runs = Runs(names, {"dear": 0.4, "dear too": 0.5, "a": 0.02, "b": 0.03, "c": 0.04})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, 100.0))
    assert len(runs.asked) == 2 and runs.asked[1][1] == CLIPS
    assert set(found.finalists) >= {"a", "b", "c"}
    assert runs.spent() <= 100.0
    assert "unproven" in reasons(found)["dear too"]


def test_a_budget_too_small_for_all_clips_goes_as_far_as_it_can():
    runs = Runs({"a": 0.7, "b": 0.6, "c": 0.65})
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, 14.0))
    (_, first), (names, last) = runs.asked
    assert 24 <= first < last < CLIPS and len(names) == 1
    assert runs.spent() <= 14.0 and len(found.finalists) == 1


def test_it_does_not_end_before_the_recommended_one_is_cleared():
    """Nobody can beat the leader on 24 clips; the cheaper one in its place needs 72."""
    runs = Runs({"dear": 0.8})
    runs.hits["cheap"] = runs.hits["dear"].copy()
    right = np.flatnonzero(runs.hits["dear"])
    runs.hits["cheap"][right[:: len(right) // 4]] = 0.0
    runs.costs = {"dear": Cost(0.01, 0.1, 0, 9.0), "cheap": Cost(0.01, 0.01, 0, 1.0)}
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24, rule=Rule(give_up=0.05)))
    assert found.ended == "none of those left can be 5 points better than cheap"
    assert [size for _, size in runs.asked] == [24, 72]
    runs.asked.clear()
    best = race(runs.costs, runs.measure, Rules(CLIPS, 24, rule=Rule(cheapest=False)))
    assert "better than dear" in best.ended and [size for _, size in runs.asked] == [24]


def test_it_ends_with_the_cheaper_of_two_equals():
    runs = Runs({"dear": 0.7})
    runs.hits["cheap"] = runs.hits["dear"]
    runs.costs = {"dear": Cost(0.01, 0.1, 0, 9.0), "cheap": Cost(0.01, 0.01, 0, 1.0)}
    found = race(runs.costs, runs.measure, Rules(CLIPS, 24))
    assert found.ended == "none of those left can be 2 points better than cheap"
    best = race(runs.costs, runs.measure, Rules(CLIPS, 24, rule=Rule(cheapest=False)))
    assert best.ended == "none of those left can be 1 point better than dear"
