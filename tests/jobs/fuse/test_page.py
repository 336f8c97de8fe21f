from __future__ import annotations

import json
import re
from dataclasses import asdict, fields, replace

import pytest
from tests.report import combination_example
from tests.report.parsed import (
    Page,
    check_labels,
    check_names_stay_text,
    check_page,
    check_picture,
    check_written,
)

from vidfit.cli.fuse import show_combination
from vidfit.contracts import Estimate
from vidfit.jobs.fuse import words
from vidfit.jobs.fuse.cost_chart import cost_picture, spots
from vidfit.jobs.fuse.page import FORMAT, combination_html, write_combination
from vidfit.jobs.fuse.pairs_table import models, pair_map, worded, worded_lead
from vidfit.jobs.fuse.picture import combination_svg
from vidfit.jobs.fuse.terminal import combination_markdown, leading
from vidfit.jobs.fuse.value import Combination, Option, Pair, Student
from vidfit.report import wording
from vidfit.report.charts import MARKS, gain_axis, interval_row
from vidfit.report.data import answer_json
from vidfit.report.frame import resource
from vidfit.report.picture import LETTERS, picture_style, title_lines
from vidfit.report.wording import ACCURACY

NAN = float("nan")


def example(name: str):
    return getattr(combination_example, f"{name}_combination")()


def two_singles() -> Combination:
    """Return a combination of two models, of which one pair is known."""
    base = example("kept")
    singles = tuple(o for o in base.options if o.name in ("motion", "efficientnet-lite0"))
    pair = next(p for p in base.pairs if {p.first, p.second} == {o.name for o in singles})
    return replace(base, chosen="motion", proven=False, options=singles, pairs=(pair,),
                   gain=Estimate(0.01, -0.02, 0.04), student=None)  # fmt: skip


COMBINATIONS = {
    "kept": lambda: example("kept"),
    "refused": lambda: example("refused"),
    "single": lambda: example("single"),
    "bare": lambda: example("bare"),
    "hostile": lambda: example("hostile"),
    "two": two_singles,
}


@pytest.fixture(scope="module", params=COMBINATIONS)
def combination(request):
    return COMBINATIONS[request.param]()


# ---------------------------------------------------------------- page


def test_page_is_whole_and_has_its_sections(combination):
    _, ids = check_page(combination_html(combination))
    expected = {"answer", "options", "failures", "time", "run", "limits", "provenance"}
    assert expected <= {*ids}
    assert ("pairs" in ids) == bool(combination.pairs)
    assert ("student" in ids) == (combination.student is not None)
    assert ("cascades" in ids) == any(o.calls for o in combination.options)


def test_page_holds_every_figure(combination):
    text = Page(combination_html(combination)).text
    for option in combination.options:
        assert " ".join(option.name.split()) in text
        assert wording.interval(option.score) in text
        assert (
            ACCURACY.signed_interval(option.gain) in text or option.name == combination.best_single
        )
        assert wording.milliseconds(option.seconds_per_clip) in text
        assert wording.large(option.parameters) in text
        assert words.mebibytes(option.memory_bytes) in text
        assert all(wording.percent(share, 0) in text for share in option.calls.values())
    for pair in combination.pairs:
        assert pair.first in text and pair.second in text
        assert ACCURACY.signed_interval(pair.added) in text and words.number(pair.agreement) in text
        assert words.number(pair.error_correlation) in text
    for failure in (*combination.failures, *combination.dropped):
        assert failure.name in text and failure.reason in text
    for said in (combination.grouping, combination.protocol, *combination.warnings):
        assert said in text
    assert wording.interval(combination.score) in text


def test_page_marks_the_chosen_once_and_folds_the_rest(combination):
    html = combination_html(combination)
    assert html.count('<tr role="row" class="chosen">') == 1
    rows = html.count('<th scope="row" role="rowheader">')
    assert rows == len(combination.options)
    assert ("more options</summary>" in html) == (len(combination.options) > 20)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kept", "Fusion kept: stack-2 of motion and efficientnet-lite0 beats motion by "
         "+20.1 points [+3.6, +36.2] on recordings that no choice has seen"),
        ("refused", "No proven gain: use encoder-00-with-a-long-name-1x16x4 . The best fusion "
         "comes to -0.4 points [-2.1, +1.3] against it on recordings that no choice has seen"),
        ("single", "Nothing here is proven better than always saying the most frequent class. "
         "Best by estimate: efficientnet-lite0"),
    ],
)  # fmt: skip
def test_page_answers_in_its_headline(name, said):
    text = Page(combination_html(example(name))).text
    assert said in text
    assert ("best fusion of each fold" in text) == (name != "single")


def test_headline_of_the_page_is_that_of_the_terminal(combination):
    html = combination_html(combination)
    read = Page(re.search(r"<h1.*?</h1>", html, re.DOTALL)[0])

    def letters(text: str) -> str:
        return re.sub(r"[\s.()]", "", text)

    assert letters(read.text) == letters(words.headline(combination))


def test_refusal_names_the_rival_unless_it_is_the_choice():
    refused = example("refused")
    assert "against it on" in words.headline(refused)
    cheaper = replace(refused, chosen="encoder-01")
    assert words.headline(cheaper).startswith("No proven gain: use encoder-01. The best fusion")
    assert f"against {refused.best_single} on" in words.headline(cheaper)


def test_page_of_one_model_has_nothing_to_compare():
    text = Page(combination_html(example("single"))).text
    assert "What each option gains" not in text and "Accuracy against cost" not in text
    assert "It scores 75.0 % (interval not measured) on recordings" in text


def test_names_stay_text():
    assert "img" not in check_names_stay_text(combination_html(example("hostile"))).tags


def test_page_names_no_student_directory_where_none_is_written():
    kept, refused = example("kept"), replace(example("kept"), proven=False)
    assert "for the student" in Page(combination_html(kept)).text
    assert "for the student" not in Page(combination_html(refused)).text


# ---------------------------------------------------------------- gains


def test_axis_of_gains_holds_zero_and_all_ends():
    axis = gain_axis([Estimate(0.2, 0.04, 0.36), Estimate(-0.24, -0.36, -0.12)], ACCURACY)
    assert axis.low <= -0.36 and axis.high >= 0.36 and 0.0 in axis.ticks
    assert 3 <= len(axis.ticks) <= 9


@pytest.mark.parametrize("estimates", [[], [Estimate(0, 0, 0)], [Estimate(NAN, NAN, NAN)]])
def test_axis_of_no_gains_has_zero_in_the_middle(estimates):
    axis = gain_axis(estimates, ACCURACY)
    assert axis.place(0.0) == 50.0


def test_row_of_a_gain_marks_zero_and_what_was_measured():
    axis = gain_axis([Estimate(0.1, -0.1, 0.2)], ACCURACY)
    row = interval_row(Estimate(0.1, -0.1, 0.2), axis, "integration", gain=True)
    assert row.count('class="zero"') == 1 and row.count("whisker") == 1
    assert "+10.0 points [-10.0, +20.0]" in row
    unknown = interval_row(Estimate(NAN, NAN, NAN), axis, "integration", gain=True)
    assert "whisker" not in unknown and "mark" not in unknown and "not measured" in unknown


def test_every_family_has_a_shape_and_words():
    from typing import get_args

    from vidfit.jobs.fuse.value import Family

    assert {*get_args(Family), "student"} == {*words.FAMILIES}
    assert len({MARKS[kind] for kind in (*words.FAMILIES, "decision")}) == len(words.FAMILIES) + 1


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize(("width", "height", "names"), [(1040, 520, 5), (350, 420, 3)])
def test_labels_cover_neither_each_other_nor_marks(combination, width, height, names):
    chart = cost_picture(combination, width, height, names=names)
    assert check_labels(chart, width, height, len(spots(combination))) or not chart


@pytest.mark.parametrize("name", ["kept", "refused"])
def test_what_matters_is_named(name):
    combination = example(name)
    chart = cost_picture(combination, 1040, 520)
    named = set(re.findall(r'<text class="label[^>]*>([^<]*)<', chart))
    assert combination.chosen[:28] in {text.rstrip("…")[:28] for text in named}
    assert {o.name for o in combination.options if o.calls} <= named
    if combination.student:
        assert "student on efficientnet-lite0" in named
    assert all(f"<title>{spot.name}:" in chart for spot in spots(combination))


def test_front_runs_through_those_that_the_value_names():
    combination = example("kept")
    path = re.search(r'class="front" d="M([^"]*)"', cost_picture(combination, 1040, 520))[1]
    front = [o for o in combination.options if o.pareto]
    assert path.count("V") == len(front) - 1


def test_no_cost_gives_no_chart():
    assert cost_picture(replace(example("bare"), student=None), 1040, 520) == ""
    text = Page(combination_html(example("bare"))).text
    assert "Accuracy against cost" not in text


# ---------------------------------------------------------------- picture


def test_picture_is_xml_with_words_and_without_variables(combination):
    assert "95 % intervals over recordings" in check_picture(combination_svg(combination))


def test_picture_has_the_colours_of_the_families():
    style = picture_style(resource("page.css", "vidfit.jobs.fuse"))
    assert ".mark.concatenation" in style and "#6b46a8" in style and "svg text" in style
    assert ".board" not in style


def test_title_breaks_into_lines_that_fit():
    lines = title_lines("word " * 30)
    assert len(lines) == 2 and all(len(line) <= LETTERS for line in lines)
    assert title_lines("a\x00b") == ["a b"]
    long = title_lines("n" * 300)
    assert len(long) == 1 and long[0].endswith("…")
    many = title_lines("word " * 300)
    assert len(many) == 3 and many[-1].endswith("…")


# ---------------------------------------------------------------- pairs


def test_map_has_additions_above_and_agreement_below():
    combination = example("kept")
    names = models(combination)
    rows = pair_map(combination)
    assert names == [o.name for o in combination.options if o.family == "single"]
    assert [name for name, _ in rows] == names
    pair = combination.pairs[0]
    first, second = names.index(pair.first), names.index(pair.second)
    above, below = rows[first][1][second], rows[second][1][first]
    assert first < second and above.text.rstrip("*") == ACCURACY.signed(pair.added.value)
    assert below.text == f"{pair.agreement:.2f}" and rows[0][1][0].css == "alone"
    assert pair.second in above.tip and pair.first in above.tip


def test_map_marks_only_intervals_without_zero():
    base = example("kept")
    sure, open_ = Estimate(0.1, 0.02, 0.18), Estimate(0.1, -0.02, 0.22)
    for added, marked in ((sure, True), (open_, False), (Estimate(0.1, NAN, NAN), False)):
        pairs = tuple(replace(p, added=added) for p in base.pairs)
        cells = [c for _, row in pair_map(replace(base, pairs=pairs)) for c in row]
        shown = [c for c in cells if "more" in c.css]
        assert len(shown) == len(pairs)
        assert all(("proven" in c.css) == marked == c.text.endswith("*") for c in shown)


def test_map_survives_a_missing_pair_and_missing_figures():
    base = example("kept")
    cells = [c for _, row in pair_map(replace(base, pairs=base.pairs[1:])) for c in row]
    assert sum(c.css == "missing" for c in cells) == 2
    bare = [c for _, row in pair_map(example("bare")) for c in row]
    assert all("nan" not in c.text + c.tip for c in bare)
    assert pair_map(example("single")) == []


def test_proven_pairs_come_first_in_words():
    kept, refused = example("kept"), example("refused")
    assert worded_lead(kept).startswith("In 5 of 6 pairs")
    assert len(worded(kept)) == 3 and worded(example("single")) == []
    assert "efficientnet-lite0 adds +19.0 points" in worded(kept)[1]
    unproven = replace(refused, pairs=tuple(
        replace(p, added=Estimate(0.01, -0.1, 0.1)) for p in refused.pairs
    ))  # fmt: skip
    assert worded_lead(unproven).startswith("In none of the 66 pairs") and worded(unproven)


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ACCURACY.signed(0.2014), "+20.1"),
        (ACCURACY.signed(-0.0001), "0.0"),
        (ACCURACY.signed(NAN), "not measured"),
        (ACCURACY.gain(Estimate(-0.004, -0.021, 0.013)), "-0.4 points [-2.1, +1.3]"),
        (ACCURACY.gain(Estimate(0.1, NAN, NAN)), "+10.0 points (interval not measured)"),
        (ACCURACY.gain(Estimate(NAN, NAN, NAN)), "not measured"),
        (words.listed(("a", "b", "c")), "a, b and c"),
        (words.mebibytes(31 * 2**20), "31 MiB"),
        (words.mebibytes(0), wording.DASH),
    ],
)
def test_figures_are_worded(said, expected):
    assert said == expected


def test_cascade_is_held_against_the_same_members():
    combination = example("kept")
    cascade = words.option(combination, "cascade-3")
    said = words.calls_sentence(cascade, combination.options)
    assert said == (
        "asks 1.90 of its 3 models per clip: 37 % of the calls saved. It takes 246 ms per clip; "
        "stack-3, which always asks all of them, takes 488 ms."
    )
    alone = words.calls_sentence(cascade, (cascade,))
    assert alone.endswith("37 % of the calls saved.")


def test_student_without_a_proven_gain_keeps_nothing():
    student = example("kept").student
    assert "keeps 38.0 % [-21.0, 83.0] of the fusion's gain" in words.student_sentence(
        student, ACCURACY
    )
    assert "none to be kept" in words.student_sentence(replace(student, kept=None), ACCURACY)


# ---------------------------------------------------------------- data and summary


def test_json_holds_every_field_in_order(combination):
    read = json.loads(answer_json(combination, FORMAT), parse_constant=pytest.fail)
    assert list(read) == ["format", *(f.name for f in fields(Combination))]
    assert read["format"] == "vidfit.fusion/2"
    assert len(read["options"]) == len(combination.options)
    for row in read["options"]:
        assert list(row) == [f.name for f in fields(Option)]
    for row in read["pairs"]:
        assert list(row) == [f.name for f in fields(Pair)]
    if combination.student:
        assert list(read["student"]) == [f.name for f in fields(Student)]


def test_json_gives_figures_back_and_null_for_what_was_not_measured():
    kept = json.loads(answer_json(example("kept"), FORMAT))
    assert kept["gain"] == asdict(example("kept").gain)
    bare = json.loads(answer_json(example("bare"), FORMAT), parse_constant=pytest.fail)
    assert bare["gain"] == {"value": 0.02, "low": None, "high": None}
    single = json.loads(answer_json(example("single"), FORMAT))
    assert single["gain"] is None and single["fusion"] is None and single["student"] is None


def test_markdown_fits_and_marks_the_chosen(combination):
    text = combination_markdown(combination)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert 3 <= len(rows) <= 14 and not re.search(r"\bnan\b", text)
    assert sum(row.startswith("| →") for row in rows) == 1
    assert len({len(row) for row in rows}) == 1
    assert "<script>" not in text and "<img" not in text
    assert len(text.splitlines()) < 50
    # What is escaped is longer than what is seen.
    assert len(rows[0]) <= 100 + 2 * len("&lt;") * ("<" in combination.best_single)


def test_markdown_says_what_matters():
    text = combination_markdown(example("kept"))
    assert text.startswith("**Fusion kept: stack-2 of motion and efficientnet-lite0 beats motion")
    for said in (
        "| student ", "best single", "cascade-3 asks 1.90 of its 3 models",
        "It keeps 38.0 %", "efficientnet-lite0 adds +19.0 points", "- videomae-small: licence",
        "> Class 'night'",
    ):  # fmt: skip
        assert said in text


def test_leading_keeps_those_that_the_answer_names():
    shown = {o.name for o in leading(example("kept"), 4)}
    assert shown == {"stack-2", "motion", "stack-3", "cascade-3"}
    combination = example("refused")
    places = [combination.options.index(o) for o in leading(combination, 12)]
    assert places == sorted(places) and len(places) == 12


def test_terminal_says_where_the_files_are(capsys, tmp_path):
    show_combination(example("kept"), tmp_path)
    said = capsys.readouterr().out
    assert f"Fusion   {tmp_path / 'fusion.html'}" in said
    assert f"Student  {tmp_path / 'student'}" in said
    assert f"vidfit predict {tmp_path / 'model'} video.mp4" in said
    show_combination(replace(example("kept"), proven=False), tmp_path)
    assert "Student  " not in capsys.readouterr().out


def test_files_are_written_whole_or_not_at_all(tmp_path):
    written = check_written(
        write_combination, example("kept"), example("single"), "fusion", tmp_path
    )
    assert written["group_count"] == 1
