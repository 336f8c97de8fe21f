"""Rates and batches against closed forms."""

from __future__ import annotations

import math

import pytest

from vidfit.schedule import rate_factor, rate_for_batch, scheduled_factor

TABLE = ((0.0, 0.5), (0.3, 1.0), (0.6, 4.0))


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_rises_evenly_and_falls_by_half_a_cosine(warmup):
    for step in range(101):
        progress = step / 100
        if progress < warmup:
            expected = progress / warmup
        else:
            expected = math.cos(math.pi / 2 * (progress - warmup) / (1 - warmup)) ** 2
        assert rate_factor(progress, warmup) == pytest.approx(expected, abs=1e-12)


def test_after_the_end_the_rate_stays_zero():
    assert rate_factor(1.5, 0.1) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("progress", "factor"), [(0.0, 0.5), (0.29, 0.5), (0.3, 1.0), (0.59, 1.0), (0.6, 4.0), (1, 4.0)]
)
def test_the_table_holds_from_each_share_on(progress, factor):
    assert scheduled_factor(progress, TABLE) == factor


def test_before_the_first_entry_the_batch_is_the_layouts():
    assert scheduled_factor(0.1, ((0.2, 8.0),)) == 1.0


def test_the_rate_follows_the_batch():
    assert [rate_for_batch(f, "sgd") for f in (0.5, 1.0, 4.0)] == [0.5, 1.0, 4.0]
    assert [rate_for_batch(f, "adamw") for f in (0.25, 1.0, 4.0)] == [0.5, 1.0, 2.0]
