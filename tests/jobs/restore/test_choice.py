"""The nearest to the truth of what flickers no more than bicubic; a recording does not choose."""

from __future__ import annotations

import math

import pytest

from vidfit.jobs.restore.choice import filter_of, over_filter, rows_of, way_of, with_choice
from vidfit.jobs.restore.value import (
    BICUBIC,
    CHOSEN,
    EVENED,
    FRAME,
    LANCZOS,
    LEARNED,
    STEADY,
)
from vidfit.pixels.restore.measured import RestoreFigures

USUAL = {BICUBIC: (30, 1.0), LANCZOS: (30.4, 1.0), FRAME: (31.5, 1.3), STEADY: (31.6, 1.1),
         EVENED: (31.4, 0.95)}  # fmt: skip


def recording(shift=0.0, **change):
    of = {**USUAL, **change}
    return {
        way: RestoreFigures(psnr + shift, 0.9, psnr - 1.0, 0.9, warping, 1.0)
        for way, (psnr, warping) in of.items()
    }


def sheet(**change):
    return {name: recording(n, **change) for n, name in enumerate("abc")}


def test_the_nearest_of_those_that_flicker_no_more_than_bicubic():
    assert way_of(sheet()) == EVENED
    assert way_of(sheet(**{STEADY: (31.6, 0.99)})) == STEADY


def test_where_all_flicker_more_the_one_that_flickers_least():
    assert way_of(sheet(**{BICUBIC: (30, 0.1)})) == EVENED


def test_where_nothing_can_be_followed_one_frame():
    assert way_of(sheet(**dict.fromkeys((BICUBIC, *LEARNED), (31, math.nan)))) == FRAME


def test_the_filter_to_be_beaten_is_the_nearer_one():
    assert filter_of(sheet()) == LANCZOS
    assert filter_of(sheet(**{LANCZOS: (30, 1.0)})) == BICUBIC
    assert over_filter(sheet()).value == pytest.approx(1.0)
    whole = sheet()
    whole["a"] = recording(**{LANCZOS: (20, 1.0)})  # the others do not know it
    assert over_filter(whole).value == pytest.approx((11.4 + 1.4 + 1.4) / 3)


def test_a_recording_is_judged_by_what_others_choose():
    whole = sheet()
    whole["a"] = recording(**{STEADY: (31.6, 0.1), BICUBIC: (30, 3.0)})
    assert way_of(whole) == STEADY
    chosen = with_choice(whole)
    assert chosen["a"][CHOSEN] == whole["a"][EVENED]
    assert chosen["b"][CHOSEN] == whole["b"][STEADY]
    rows = {row.name: row for row in rows_of(chosen)}
    assert rows[BICUBIC].gain_decibels.value == 0
    assert rows[FRAME].gain_decibels.value == pytest.approx(1.5)
