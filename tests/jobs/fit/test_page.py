from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.report.example import (
    NOT_MEASURED,
    bare_report,
    example_report,
    hostile_report,
    large_report,
)
from tests.report.parsed import Page, check_names_stay_text, check_page

from vidfit.contracts import Estimate, clip_key
from vidfit.jobs.fit.page import HARDEST, LEADERS, STRIPS, hardest_clips, report_html
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.report import wording
from vidfit.report.data import report_json
from vidfit.report.leaderboard import headline, leakage_sentence
from vidfit.reported import Candidate, Scene, TaskPart

REPORTS = {
    "example": example_report,
    "two classes": lambda: example_report(("yes", "no"), 60),
    "thirty classes": lambda: example_report(tuple(f"c{i}" for i in range(30)), 400),
    "large": large_report,
    "three candidates": lambda: large_report(101, 3),
    "hostile": hostile_report,
    "bare": bare_report,
}


@pytest.fixture(scope="module", params=REPORTS)
def page(request):
    report = REPORTS[request.param]()
    return report, report_html(report)


def test_page_is_whole_and_has_its_sections(page):
    report, html = page
    pictures = 1.4 * sum(map(len, report.thumbnails.values()))
    wrong = sum(r.predicted != r.clip.label for r in report.clips)
    _, ids = check_page(html, 360_000 + pictures + 250 * wrong)
    assert {"leaderboard", "leak", "classes", "calibration", "hardest", "failures", "time"} <= {
        *ids
    }


def test_names_stay_text():
    check_names_stay_text(report_html(hostile_report()))


def test_script_is_the_one_that_the_policy_allows():
    import base64
    import hashlib

    html = report_html(example_report())
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html


def test_figures_equal_those_of_the_report():
    report = example_report()
    text = Page(report_html(report)).text
    for estimate in (report.score, report.mean_class_accuracy):
        value = (
            f"{100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"
        )
        assert value in text
    for estimate in (report.majority, report.grouped_split, report.random_split):
        assert wording.figure(estimate) in text
    for row in report.candidates:
        a = row.score
        assert f"{100 * a.value:.1f} [{100 * a.low:.1f}, {100 * a.high:.1f}]" in text
        assert row.name in text and row.licence in text
        assert wording.milliseconds(row.seconds_per_clip) in text
    for facts in (report.machine, report.provenance):
        assert all(f"{key} {value}" in text for key, value in facts.items())
    for failure in (*report.failures, *report.dropped):
        assert f"{failure.name} {failure.reason}" in text


def test_confusion_table_holds_the_counts():
    report = example_report()
    html = report_html(report)
    for i, label in enumerate(report.classes):
        for j, answer in enumerate(report.classes):
            count, total = report.confusion_KK[i][j], sum(report.confusion_KK[i])
            assert f'title="{label} answered as {answer}: {count} of {total}"' in html


def test_confusion_map_draws_each_cell_that_has_clips():
    report = REPORTS["thirty classes"]()
    html = report_html(report)
    filled = sum(count > 0 for row in report.confusion_KK for count in row)
    assert html.count("h1v1h-1z") == filled


def test_the_baseline_has_the_name_that_its_task_gives_it():
    report = replace(REPORTS["thirty classes"](), baseline="one number for all")
    text = Page(report_html(report)).text
    assert "(one number for all " in text and "(one number for all " in headline(report)
    assert "majority class" not in text.split("Leaderboard")[0]


def _of_pictures(classes):
    """Return the report of a task whose rows are pictures, and which shows what is confused."""
    size = len(classes)
    matrix = tuple(tuple(0.9 if i == j else 0.1 / size for j in range(size)) for i in range(size))
    scene = Scene(example_report().clips[0].clip, "", "", (0, 0, 1, 1), (), ("PANEL",))
    part = TaskPart("By class", "", ("class",), (), scenes=(("Worst", (scene,)),),
                    confusion_KK=matrix, confused="pixels")  # fmt: skip
    return replace(
        example_report(), classes=classes, labels="mask", row="picture", part=part,
        confusion_KK=(), by_class=(),
    )  # fmt: skip


def test_what_a_task_confuses_is_a_table_of_shares_and_beyond_thirty_classes_a_map():
    report = _of_pictures(("road", "sky", "pedestrian"))
    html = report_html(report)
    assert "Of the pixels that truly are of a class" in html
    assert html.count('<th scope="col"><span>pedestrian</span></th>') == 1
    assert 'title="road answered as road: 90.0 %">90</td>' in html
    assert "h1v1h-1z" not in html
    many = report_html(_of_pictures(tuple(f"c{i}" for i in range(40))))
    assert many.count("h1v1h-1z") == 40**2 and 'class="confusion upright' not in many


def test_rows_are_called_what_the_task_calls_them_and_pictures_are_not_in_the_json():
    report = _of_pictures(("road", "sky"))
    text = Page(report_html(report)).text
    assert "time per picture" in text and "Pictures that could not be used" in text
    assert "time per clip" not in text and "Clips that" not in text
    assert "per picture" in report_markdown(report)
    assert "PANEL" not in report_json(report) and '"row": "picture"' in report_json(report)


def test_nothing_measured_is_said_so():
    text = Page(report_html(bare_report())).text
    assert "75.0 % interval not measured" in text
    assert "majority class not measured" in text
    assert "What a random split would have claimed was not measured." in text
    assert "None: every clip could be read." in text
    assert "No two clips of different recordings look the same." in text


def test_many_failures_are_folded_and_counted_by_reason():
    report = large_report(12, 3)
    read = Page(report_html(report))
    assert "Show all 500" in read.text
    unreadable = sum(f.reason == "unreadable" for f in report.failures)
    assert f"{unreadable} unreadable" in read.text
    assert report.failures[-1].name in read.text


def test_many_candidates_are_folded_but_none_is_lost():
    report = large_report(5, 60)
    text = Page(report_html(report)).text
    assert re.search(r"Show \d+ more candidates", text)
    assert all(candidate.name in text for candidate in report.candidates)


def test_hardest_clips_are_wrong_and_in_order():
    report = example_report()
    found = hardest_clips(report.clips)
    wrong = [r for r in report.clips if r.predicted != r.clip.label]
    assert len(found) == min(len(wrong), STRIPS) > HARDEST
    assert all(r.predicted != r.clip.label for r in found)
    chances = [r.probability_of_label for r in found]
    assert chances == sorted(chances)
    worst = min(r.probability_of_label for r in report.clips if r.predicted != r.clip.label)
    assert chances[0] == worst
    assert hardest_clips(()) == []


def test_every_picture_of_a_hard_clip_is_shown():
    report = example_report()
    assert report_html(report).count("data:image/jpeg;base64,") == len(report.thumbnails) == 12
    without = report_html(replace(report, thumbnails={}))
    wrong = len(hardest_clips(report.clips))
    assert "data:image/jpeg" not in without and without.count("no picture") == wrong


def test_all_wrong_clips_are_listed_and_the_size_of_their_pictures_is_said():
    report = example_report(tuple(f"c{i}" for i in range(30)), 1200)
    text, wrong = report_html(report), [r for r in report.clips if r.predicted != r.clip.label]
    assert len(wrong) > STRIPS and f"{len(wrong)} wrong answers" in text
    assert text.count("Frames of ") + text.count("no picture") >= STRIPS
    assert f"List the other {len(wrong) - STRIPS} wrong answers" in text
    assert all(clip_key(r.clip) in text for r in wrong)
    size = sum(map(len, report.thumbnails.values())) / 1e6
    assert f"{size:.1f} MB of this page" in text


def test_the_best_few_candidates_stand_open():
    page = report_html(example_report())
    shown, _, folded = page[page.index('id="leaderboard"') :].partition("<details>")
    assert shown.count('<tr role="row"') <= LEADERS + 3  # its head, the chosen, the baseline
    assert '<tr role="row"' in folded


def test_chosen_is_marked_even_when_it_is_last():
    report = large_report(5, 60)
    last = Candidate(
        "slow-one", "backbone", ("slow-one",), Estimate(0.01, 0.0, 0.02), 1.0, 1, 1, 1.0, "", "MIT",
        None, True,
    )  # fmt: skip
    rest = tuple(replace(c, chosen=False) for c in report.candidates)
    html = report_html(replace(report, candidates=(*rest, last)))
    assert html.count('class="chosen"') == 1
    assert html.index("slow-one") < html.index("more candidates</summary>")


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        (Estimate(0.15, 0.1, 0.2), "would have claimed 15.0 points [10.0, 20.0] more than"),
        (Estimate(0.05, -0.01, 0.11), "The interval holds zero, so the difference may be chance."),
        (Estimate(-0.01, -0.03, 0.01), "(-1.0 points [-3.0, +1.0]): no sign that a leak flatters"),
        (NOT_MEASURED, "was not measured"),
    ],
)
def test_leakage_is_put_in_one_sentence(leak, said):
    assert said in leakage_sentence(replace(example_report(), leak=leak))


def test_a_leak_whose_interval_excludes_zero_is_no_chance():
    assert "may be chance" not in leakage_sentence(example_report())


def test_a_random_split_flatters_a_loss_by_making_it_less():
    report = replace(example_report(), metric="log-loss", leak=Estimate(0.2, 0.1, 0.3))
    assert "would have claimed 0.200 [0.100, 0.300] less than" in leakage_sentence(report)
