"""Scores of each class on the page: the worst first, the rest on demand, and curves."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.report.example import NAN, NOT_MEASURED, bare_report, example_report, large_report
from tests.report.parsed import Page

from vidfit.jobs.fit.by_class import SHOWN_CLASSES, precision_recall_chart, worst_first
from vidfit.jobs.fit.page import report_html
from vidfit.report import wording


def test_every_class_has_its_figures_and_a_curve():
    report = example_report()
    html = report_html(report)
    text = Page(html).text
    for one in report.by_class:
        for estimate in (one.f1, one.precision, one.recall, one.average_precision):
            assert wording.interval(estimate) in text
        assert f"AP {wording.figure(one.average_precision)}" in text
    assert html.count('class="precision"') == len(report.classes)
    assert "more class" not in text


def test_of_many_classes_the_worst_are_shown_and_the_others_folded():
    report = large_report()
    html = report_html(report)
    shown = html.split('id="each"')[1].split("<details>")[0]
    for one in worst_first(report.by_class)[:SHOWN_CLASSES]:
        assert f'<span class="who">{one.label}</span>' in shown
    assert f"Show {len(report.classes) - SHOWN_CLASSES} more classes" in html
    assert html.count('class="precision"') == SHOWN_CLASSES


def test_the_lowest_f1_is_first_and_what_was_not_measured_last():
    by_class = list(example_report().by_class)
    by_class[0] = replace(by_class[0], f1=NOT_MEASURED)
    ordered = worst_first(by_class)
    values = [one.f1.value for one in ordered[:-1]]
    assert values == sorted(values) and ordered[-1] is by_class[0]


def test_a_curve_steps_down_and_ends_at_all_clips():
    one = replace(example_report().by_class[0], curve=((0.5, 1.0), (0.75, 0.6), (1.0, 0.8)))
    path = re.search(r'class="precision" d="([^"]*)"', precision_recall_chart(one, 236))[1]
    assert path == "M180.0 38.0H105.0V8.0H30"


def test_a_class_without_clips_has_no_curve():
    one = replace(example_report().by_class[0], curve=(), clips=0, average_precision=NOT_MEASURED)
    chart = precision_recall_chart(one, 0)
    assert 'class="precision"' not in chart and "not measured" in chart


def test_without_scores_of_classes_the_section_is_missing():
    assert 'id="each"' not in report_html(bare_report())
    assert str(NAN) not in Page(report_html(example_report())).text.split()
