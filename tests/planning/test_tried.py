from __future__ import annotations

from dataclasses import replace

import pytest
from tests.planning.test_choice import KNOWN, MIB, SETTING

from vidfit.errors import BackboneError, BudgetError
from vidfit.planning.child import Question, Real
from vidfit.planning.choice import choose
from vidfit.planning.tried import BUDGET_SECONDS, Budget, Trials, choose_tried, searched
from vidfit.plans import Layout, Recipe

REAL = Real(200 * MIB, 0, 1.0, 0.1)


class Machine:
    """Stands for children that live up to a largest peak of tensors; counts them."""

    def __init__(self, mib, factor=1.0, most_runs=99):
        self.mib, self.factor, self.most_runs, self.runs = mib, factor, most_runs, []

    def small(self, layout):
        taken = self.factor * KNOWN.peak_bytes(layout)
        return replace(REAL, taken_bytes=taken, micro_seconds=layout.micro_batch * 1.0)

    def under(self, layout, limit_bytes):
        if len(self.runs) >= self.most_runs:
            raise TimeoutError
        self.runs.append(layout)
        found = self.small(layout)
        return found if found.base_bytes + found.taken_bytes <= limit_bytes else None


def within(mib, **changes):
    machine = replace(SETTING.machine, memory_bytes=mib * MIB)
    return replace(SETTING, machine=machine, batch_clips=4096, **changes)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.5])
def test_what_is_offered_near_the_limit_has_lived_with_five_percent_free(factor):
    setting, options = choose_tried(within(8000), runs := Machine(8000, factor))
    chosen = options[0]
    assert runs.under(chosen.layout, int(setting.most_bytes)) is not None
    assert setting.most_bytes == pytest.approx(0.95 * 8000 * MIB)
    assert not chosen.refused
    held = 200 * MIB + factor * KNOWN.peak_bytes(chosen.layout)
    assert held >= 0.80 * 8000 * MIB
    taken = factor * KNOWN.peak_bytes(chosen.layout)
    assert chosen.predicted.peak_bytes == pytest.approx(taken, rel=1e-2)


def test_a_layout_that_leaves_much_free_is_not_run():
    runs = Machine(8000)
    setting, options = choose_tried(replace(within(8000), batch_clips=16), runs)
    assert runs.runs == [] and options == choose(setting)
    assert options[0].predicted.step_seconds == pytest.approx(16 + 0.1)


def test_a_way_that_dies_gives_way_to_another():
    class Dies(Machine):
        def under(self, layout, limit_bytes):
            return super().under(layout, limit_bytes) if layout.checkpointing else None

    assert choose_tried(within(1000), Dies(1000))[1][0].layout.checkpointing


def test_where_nothing_lives_nothing_is_offered():
    class Dies(Machine):
        def under(self, layout, limit_bytes):
            return None

    with pytest.raises(BudgetError, match="nothing fits"):
        choose_tried(within(1000), Dies(1000))


@pytest.mark.parametrize("most_runs", [0, 1])
def test_when_time_is_up_what_is_known_stands_and_is_said(most_runs):
    setting, options = choose_tried(within(8000), Machine(8000, most_runs=most_runs))
    assert "60 s for trial runs were over" in setting.known.notes[0]
    assert options[0].layout.micro_batch > 50


def test_steps_are_run_with_two_micro_batches_at_most():
    seen = []
    searched(within(1000), choose(within(1000))[0].layout, lambda layout: seen.append(layout))
    assert {layout.accumulation for layout in seen} == {2}


def test_time_that_is_over_starts_no_child_and_what_was_run_is_remembered(tmp_path, monkeypatch):
    runs = []

    def real_run(question, layout, limit_bytes, left, folder):
        runs.append(left)
        if layout.micro_batch > 4:
            raise BackboneError("it died")
        return {}, REAL

    monkeypatch.setattr("vidfit.planning.tried.real_run", real_run)
    trials = Trials(Question("no:thing", {}, Recipe()), tmp_path, Budget())
    assert [trials.under(Layout(b), 2**30) for b in (4, 8, 4, 8)] == [REAL, None, REAL, None]
    assert len(runs) == 2 and runs[1] < runs[0] == BUDGET_SECONDS
    trials.budget.left_seconds = 0
    with pytest.raises(TimeoutError, match="60 s for runs are over"):
        trials.small(Layout(1))
    assert trials.under(Layout(4), 2**30) == REAL and len(runs) == 2
