from __future__ import annotations

import pytest

from vidfit.planning.halving import NEAR, RUNS, even_sizes, largest_alive


@pytest.mark.parametrize("largest", [1, 3, 8, 57, 200, 1000, 4096])
@pytest.mark.parametrize("off", [0.5, 0.8, 1.0, 1.3, 2.0])
def test_nearly_the_largest_that_lives_is_found_whatever_was_guessed(largest, off):
    runs = []

    def lives(micro_batch):
        runs.append(micro_batch)
        return micro_batch <= largest

    found = largest_alive(4096, max(1, round(off * largest)), lives)
    assert found <= largest and len(runs) <= RUNS
    assert len(set(runs)) == len(runs)
    possible = max(size for size in even_sizes(4096) if size <= largest)
    assert found >= (1 - 2 * NEAR) * possible - 1


def test_what_dies_is_lowered_in_growing_steps_until_it_lives():
    runs = []
    assert largest_alive(64, 64, lambda b: runs.append(b) or b <= 8) == 8
    assert runs[:4] == [64, 32, 22, 13]


def test_a_guess_that_is_right_takes_few_runs():
    runs = []
    assert largest_alive(4096, 57, lambda b: runs.append(b) or b <= 57) == 57
    assert len(runs) <= 3


def test_where_nothing_lives_the_answer_is_none():
    runs = []
    assert largest_alive(16, 16, lambda b: runs.append(b)) == 0
    assert runs == [16, 8, 6, 4, 2, 1]


def test_the_whole_step_is_not_run_twice():
    runs = []
    assert largest_alive(16, 64, lambda b: runs.append(b) or True) == 16
    assert runs == [16]


def test_only_micro_batches_that_part_a_step_evenly_are_run():
    assert even_sizes(16) == [1, 2, 3, 4, 6, 8, 16]
    assert even_sizes(1) == [1]
