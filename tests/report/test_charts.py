from __future__ import annotations

import pytest
from tests.report.example import CANDIDATES, NAN, NOT_MEASURED, large_report
from tests.report.parsed import check_labels

from vidfit.contracts import Estimate
from vidfit.report import wording
from vidfit.report.charts import headline_chart, interval_row, reliability_chart, score_axis
from vidfit.report.cost_chart import cost_chart
from vidfit.report.leaderboard import best_first, on_cost_axis, pareto_front
from vidfit.report.plane import log_ticks
from vidfit.report.wording import ACCURACY


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.62, 0.81), (0.5, 0.5), (1.0, 1.0), (0.0, 0.0), (0.993, 0.999)]
)
def test_axis_holds_what_it_shows_between_round_numbers(low, high):
    axis = score_axis([Estimate(low, low, high)], ACCURACY)
    assert 0 <= axis.low <= low <= high <= axis.high <= 1
    assert axis.low < axis.high and 2 <= len(axis.ticks) <= 8
    assert axis.place(axis.low) == 0 and axis.place(axis.high) == 100


def test_axis_without_values_spans_everything():
    axis = score_axis([NOT_MEASURED], ACCURACY)
    assert (axis.low, axis.high) == (0, 1)


def test_interval_row_stands_where_the_figures_say():
    axis = score_axis([Estimate(0.5, 0.0, 1.0)], ACCURACY)
    row = interval_row(Estimate(0.5, 0.25, 0.75), axis, "backbone")
    assert 'class="whisker backbone" x1="25.0%" x2="75.0%"' in row
    assert 'x="50.0%"' in row and 'aria-label="50.0 % [25.0, 75.0]"' in row


def test_interval_row_without_interval_has_no_whisker():
    axis = score_axis([NOT_MEASURED], ACCURACY)
    assert "whisker" not in interval_row(Estimate(0.5, NAN, NAN), axis, "fusion")
    empty = interval_row(NOT_MEASURED, axis, "fusion")
    assert "mark" not in empty and "not measured" in empty


def test_headline_chart_without_majority_has_one_flag():
    assert headline_chart(Estimate(0.7, 0.6, 0.8), 0.5, ACCURACY).count("<text") == 2
    assert headline_chart(Estimate(0.7, 0.6, 0.8), NAN, ACCURACY).count("<text") == 1


def test_reliability_chart_draws_no_threshold_at_zero():
    assert "threshold" in reliability_chart((), 0.4)
    assert "threshold" not in reliability_chart((), 0.0)


def test_pareto_front_has_no_member_that_another_beats():
    candidates = large_report(5, 60).candidates
    front = pareto_front(candidates, ACCURACY)
    for member in front:
        assert not any(
            other.seconds_per_clip <= member.seconds_per_clip
            and other.score.value > member.score.value
            for other in candidates
        )
    assert best_first(candidates, ACCURACY)[0] in front


def test_candidates_without_cost_are_not_on_the_cost_axis():
    majority = CANDIDATES[-1]
    assert not on_cost_axis(majority) and majority not in pareto_front(CANDIDATES, ACCURACY)
    assert cost_chart([majority], 800, 400, ACCURACY) == ""


@pytest.mark.parametrize("width", [350, 1040])
def test_labels_of_the_cost_chart_do_not_overlap(width):
    for candidates in (CANDIDATES, large_report(5, 60).candidates):
        chart = cost_chart(candidates, width, 400, ACCURACY)
        assert check_labels(chart, width, 400, sum(map(on_cost_axis, candidates)))


@pytest.mark.parametrize("width", [350, 1040])
def test_chosen_is_labelled_at_every_width(width):
    assert 'class="label chosen"' in cost_chart(CANDIDATES, width, 400, ACCURACY)


def test_cost_ticks_are_round_and_inside():
    assert log_ticks(1.0, 2.0) == [10, 20, 50, 100]
    assert log_ticks(0.0, 4.0) == [1, 10, 100, 1000, 10000]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (wording.percent(0.78312), "78.3 %"),
        (wording.figure(Estimate(0.5, NAN, NAN)), "50.0 % (interval not measured)"),
        (wording.figure(NOT_MEASURED), "not measured"),
        (wording.milliseconds(1.7021), "1,702 ms"),
        (wording.duration(0.42), "420 ms"),
        (wording.duration(59.96), "1 min 00 s"),
        (wording.duration(7384), "2 h 03 min"),
        (wording.duration(None), "not measured"),
        (wording.large(4_650_000), "4.65 M"),
        (wording.counted(1, "clip"), "1 clip"),
        (wording.short_path("/a/b/c/d.mp4"), "…/c/d.mp4"),
        (wording.short_path("d.mp4"), "d.mp4"),
    ],
)
def test_figures_are_worded(said, expected):
    assert said == expected
