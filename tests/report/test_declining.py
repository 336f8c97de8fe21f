"""What is declined is said with what was not measured."""

from __future__ import annotations

from dataclasses import asdict, replace

from tests.report.example import example_report

from vidfit.contracts import Estimate
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.report.data import report_json
from vidfit.report.declining import declines_of_card, declines_text
from vidfit.reported import Declines

KNOWN, STRICT = Estimate(0.068, 0.05, 0.09), Estimate(0.28, 0.2, 0.4)
NEW, STRICT_NEW = Estimate(0.31, 0.22, 0.41), Estimate(0.55, 0.4, 0.7)
MEASURED = Declines(KNOWN, STRICT, NEW, STRICT_NEW, 0.82, 4)
WITHOUT_NEW = Declines(KNOWN, STRICT, why="with two classes, leaving one out leaves nothing")


def test_shares_of_known_and_new_classes_are_said():
    assert declines_text(MEASURED) == (
        "Declines 6.8 % [5.0, 9.0] of clips of known classes and 31.0 % [22.0, 41.0] of clips of "
        "a class never seen (4 classes left out in turn, on unseen recordings; AUROC 0.82); "
        "--unknown strict: 28.0 % and 55.0 %. How much of other footage it declines was not "
        "measured: these clips hold none."
    )


def test_what_was_not_measured_is_said_with_its_reason():
    assert declines_text(WITHOUT_NEW) == (
        "Declines 6.8 % [5.0, 9.0] of clips of known classes (--unknown strict: 28.0 %). How many "
        "of a class never seen was not measured: with two classes, leaving one out leaves "
        "nothing. How much of other footage it declines was not measured: these clips hold none."
    )


def test_page_terminal_and_json_say_it():
    report = replace(example_report(), declines=MEASURED)
    assert "and 31.0 % [22.0, 41.0] of clips of a class never seen" in report_html(report)
    assert "and 31.0 % [22.0, 41.0] of clips of a class never seen" in report_markdown(report)
    assert '"auroc": 0.82' in report_json(report)
    assert "of clips of known classes" not in report_html(example_report())


def test_a_card_gives_back_what_it_was_given():
    for declines in (MEASURED, WITHOUT_NEW):
        assert declines_of_card({"declines": asdict(declines)}) == declines
    assert declines_of_card({}) is None
