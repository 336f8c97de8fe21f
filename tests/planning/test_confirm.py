from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from tests.planning.test_choice import KNOWN, MIB, SETTING

from vidfit.errors import BudgetError
from vidfit.planning.choice import choose
from vidfit.planning.confirm import NEAR, RUNS, choose_confirmed, held_twice
from vidfit.planning.memory import Resident


def within(mib, confirm, factor=1.0):
    """A machine with so much memory, on which laws believe in so many bytes a byte of tensors."""
    residents = {again: Resident(200 * MIB, factor) for again in (False, True)}
    machine = replace(SETTING.machine, memory_bytes=mib * MIB)
    known = replace(KNOWN, residents=residents)
    return replace(SETTING, machine=machine, known=known, batch_clips=4096, confirm=confirm)


@pytest.mark.parametrize("real_factor", [0.7, 0.95, 1.0, 1.3, 2.0])
@pytest.mark.parametrize("mib", [1500, 4000, 20000])
def test_nearly_the_largest_that_survives_is_found_whatever_the_law_believed(real_factor, mib):
    runs = []

    def confirm(layout):
        runs.append(layout)
        held = 200 * MIB + real_factor * KNOWN.peak_bytes(layout)
        return held if held <= mib * MIB else inf

    setting, options = choose_confirmed(within(mib, confirm))
    chosen = options[0].layout
    assert confirm(chosen) <= setting.most_bytes
    assert len(runs) - 1 <= 2 * RUNS
    law = KNOWN.peaks[chosen.checkpointing]
    largest = law.most((mib * 0.98 - 200) * MIB / real_factor)
    assert chosen.micro_batch >= min(largest - 2, (1 - 2 * NEAR) * largest)


def test_what_survives_only_far_below_the_law_is_found():
    def confirm(layout):
        return inf if layout.micro_batch > 8 else 200 * MIB + KNOWN.peak_bytes(layout)

    _, options = choose_confirmed(within(2000, confirm))
    assert 7 <= options[0].layout.micro_batch <= 8


def test_where_nothing_survives_nothing_is_offered():
    with pytest.raises(BudgetError, match="nothing fits"):
        choose_confirmed(within(1000, lambda layout: inf))


def test_a_way_that_dies_gives_way_to_another():
    def confirm(layout):
        return 200 * MIB + KNOWN.peak_bytes(layout) if layout.checkpointing else inf

    assert choose_confirmed(within(1000, confirm))[1][0].layout.checkpointing


def test_a_layout_that_leaves_much_free_is_not_run():
    def confirm(layout):
        raise AssertionError("it should not run")

    setting = replace(SETTING, confirm=confirm)
    assert choose_confirmed(setting)[1] == choose(setting)


@pytest.mark.parametrize(("dies_at", "found"), [((), 900.0), ((980,), inf), ((1000,), inf)])
def test_a_run_must_survive_with_all_of_the_memory_and_with_less(dies_at, found):
    asked = []

    def held(limit):
        asked.append(limit)
        return inf if limit in dies_at else 900.0

    assert held_twice(held, 1000) == found
    assert asked == ([980] if dies_at == (980,) else [980, 1000])
