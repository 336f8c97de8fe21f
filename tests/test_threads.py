"""Threads give results in order, look ahead a little, and leave out what is not wanted."""

from __future__ import annotations

import time

import pytest

from vidfit.threads import in_threads


def test_results_keep_the_order_of_items():
    def slow_first(i):
        time.sleep(0.02 if i == 0 else 0)
        return i * i

    assert list(in_threads(slow_first, range(20), 4)) == [i * i for i in range(20)]
    assert list(in_threads(slow_first, [], 4)) == []


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    results = in_threads(lambda i: i, items(), 2)
    assert next(results) == 0 and len(taken) <= 6
    results.close()
    assert len(taken) <= 6


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_ends_it_and_tells_those_that_run(error):
    begun, stopped = [], []

    def one(i):
        begun.append(i)
        if i == 3:
            raise error
        return i

    with pytest.raises(error):
        list(in_threads(one, range(1000), 2, lambda: stopped.append(True)))
    assert stopped == [True] and len(begun) < 20
