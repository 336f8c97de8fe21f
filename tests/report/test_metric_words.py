"""What is shown of each metric: its name, its unit, and which way is better."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report.combination_example import kept_combination
from tests.report.example import CANDIDATES, example_report
from tests.report.parsed import Page
from tests.report.ranking_example import example_ranking

from vidfit.contracts import Estimate
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.jobs.fuse.page import combination_html
from vidfit.jobs.fuse.terminal import combination_markdown
from vidfit.jobs.select.page import ranking_html
from vidfit.jobs.select.terminal import ranking_markdown
from vidfit.report.charts import score_axis
from vidfit.report.leaderboard import best_first, pareto_front
from vidfit.report.wording import ACCURACY, METRICS
from vidfit.tasks import TASKS, task_named

LOSS = METRICS["log-loss"]
HALF = Estimate(0.4123, 0.35, 0.4801)


def lossy(value):
    """Return a value whose figures are of log-loss, with a score that is told apart."""
    return replace(value, metric="log-loss", higher_is_better=False, score=HALF)


def test_every_metric_has_words_and_the_same_way_up():
    measures = {
        name: measure for task in TASKS for name, measure in task_named(task).measures.items()
    }
    assert set(METRICS) == set(measures)
    for name, metric in METRICS.items():
        assert metric.higher_is_better is measures[name].higher_is_better


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ACCURACY.figure(HALF), "41.2 % [35.0, 48.0]"),
        (LOSS.figure(HALF), "0.412 [0.350, 0.480]"),
        (LOSS.said(LOSS.figure(HALF)), "log-loss 0.412 [0.350, 0.480]"),
        (LOSS.title, "log-loss (lower is better)"),
        (METRICS["macro-f1"].title, "macro F1, %"),
        (METRICS["macro-f1"].heading, "Macro F1"),
        (LOSS.gain(Estimate(0.02, -0.01, 0.05)), "+0.020 [-0.010, +0.050]"),
        (LOSS.behind(Estimate(0.02, -0.01, 0.05)), "0.020 [-0.010, 0.050]"),
        (LOSS.amount(0.02), "0.02"),
        (ACCURACY.amount(0.02), "2 points"),
        (LOSS.gap(-0.0312), "0.031"),
        (LOSS.signed(-0.0001), "0.000"),
        (LOSS.value(float("nan")), "not measured"),
    ],
)
def test_figures_are_worded(said, expected):
    assert said == expected


def test_the_least_loss_is_the_best_and_leads_the_front():
    worst = best_first(CANDIDATES, ACCURACY)[-1]
    assert best_first(CANDIDATES, LOSS)[0].name == worst.name
    front = pareto_front(CANDIDATES, LOSS)
    scores = [c.score.value for c in front]
    costs = [c.seconds_per_clip for c in front]
    assert scores == sorted(scores, reverse=True) and costs == sorted(costs)


def test_losses_fall_along_an_axis_beyond_one():
    axis = score_axis([Estimate(0.4, 0.3, 2.4)], LOSS)
    assert axis.place(0.3) > axis.place(2.4) and axis.high >= 2.4
    first, last = axis.span(Estimate(0.4, 0.3, 2.4))
    assert first < axis.place(0.4) < last


@pytest.mark.parametrize(
    ("page", "summary", "example"),
    [
        (report_html, report_markdown, example_report),
        (ranking_html, ranking_markdown, example_ranking),
        (combination_html, combination_markdown, kept_combination),
    ],
)
def test_losses_are_shown_as_plain_numbers(page, summary, example):
    value = lossy(example())
    text = Page(page(value)).text
    assert "0.412" in text and "41.2" not in text and "lower is better" in text
    assert "ccuracy against" not in text and "Log-loss against" in text
    said = summary(value)
    assert "0.412 [0.350, 0.480]" in said and "log-loss [95 %]" in said
    assert not any("points" in line for line in said.splitlines() if line.startswith("|"))


def test_another_metric_is_named_in_the_answer():
    report = replace(
        example_report(), metric="balanced", score=HALF, majority=Estimate(0.2, 0.2, 0.2)
    )
    assert "Use efficientnet-lite0: balanced accuracy 41.2 % [35.0, 48.0]" in report_markdown(
        report
    )
