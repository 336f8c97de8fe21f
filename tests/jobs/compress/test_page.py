from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from html import unescape
from math import log10
from typing import get_args
from xml.etree import ElementTree

import pytest
from tests.report import compression_example as examples
from tests.report.parsed import (
    Page,
    check_labels,
    check_names_stay_text,
    check_page,
    check_picture,
    check_written,
    flat,
    letters,
)

from vidfit.cli.compress import show_compression
from vidfit.contracts import Estimate
from vidfit.evaluate import few_recordings
from vidfit.jobs.compress import words
from vidfit.jobs.compress.front_chart import (
    KINDS,
    UNITS,
    front,
    front_picture,
    legend,
    measured,
    off_scale,
    spots,
    undrawn,
    worth_drawing,
)
from vidfit.jobs.compress.page import (
    FORMAT,
    compression_html,
    compression_svg,
    write_compression,
)
from vidfit.jobs.compress.terminal import compression_markdown
from vidfit.jobs.compress.value import Artefact, Compression, Footprint, Target, Verdict
from vidfit.report import wording
from vidfit.report.charts import MARKS
from vidfit.report.data import answer_json
from vidfit.report.plane import log_ticks

NAN = float("nan")
EXAMPLES = ("kept", "refused", "useless", "broken", "bare", "empty", "long", "hostile", "certified")


def example(name: str) -> Compression:
    return getattr(examples, f"{name}_compression")()


@pytest.fixture(scope="module", params=EXAMPLES)
def compression(request):
    return example(request.param)


# ---------------------------------------------------------------- page


def test_page_is_whole_and_has_its_sections(compression):
    read, ids = check_page(compression_html(compression))
    assert not re.search(r"\bNone\b", read.text)
    order = ["answer", "headline", "artefacts", "front", "protocol", "failures", "time", "run",
             "limits", "provenance"]  # fmt: skip
    if not worth_drawing(compression):
        order.remove("front")
    assert [found for found in ids if found != "warnings"] == order


def test_page_holds_every_figure(compression):
    c, text = compression, Page(compression_html(compression)).text
    for artefact in c.artefacts:
        assert artefact.name in text and artefact.reason in text
        assert all(detail in text for detail in artefact.details)
        of, was = artefact.footprint, c.original.footprint
        if of is not None and was is not None:
            assert f"{words.size(of.size_bytes)} {words.smaller(of, was)}" in text
            assert f"{words.time(of)} {words.faster(of)}" in text
            assert f"{words.size(of.memory_bytes)} {words.lighter(of, was)}" in text
        if artefact.loss is not None and artefact.accuracy is not None:
            assert words.interval(artefact.loss) in text
            assert wording.interval(artefact.accuracy) in text
            assert wording.percent(artefact.changed) in text
    for failure in c.failures:
        assert failure.name in text and failure.reason in text
    said = (c.verdict, c.protocol, c.model, *c.warnings, *c.networks, words.allowed(c))
    assert all(flat(sentence) in text for sentence in said)


def test_table_starts_with_the_original_then_the_kept_then_what_takes_least():
    html = compression_html(example("kept"))
    found = re.findall(r'<span class="who">([^<]*)</span>', html)
    assert found == [
        "original", "int8-static", "pruned-int8-static", "pruned", "int4-weights",
        "float16-weights", "int8-weights", "pruned-int8-weights", "int8-dynamic",
    ]  # fmt: skip
    assert html.count('<tr role="row" class="chosen">') == 1
    by_size = [a.name for a in words.ordered(replace(example("kept"), target="size"))]
    assert by_size[:3] == ["int8-static", "pruned-int8-static", "int4-weights"]


def test_nothing_kept_marks_nothing_and_points_to_the_original():
    html = compression_html(example("refused"))
    assert '<tr role="row" class="chosen">' not in html and '<b class="badge">kept' not in html
    assert "MODEL is still the original, runs/two-questions/model ." in Page(html).text
    kept = Page(compression_html(example("kept"))).text
    assert "MODEL is the directory model beside this page." in kept


def test_what_is_certified_stands_on_page_and_terminal():
    said = (
        "int8-static gives the same answer to all of 812 windows without a label, of 96 "
        "recordings; they count for 640 independent ones: at most 0.57 points can be lost on such "
        "footage."
    )
    certified = example("certified")
    assert said in flat(compression_markdown(certified))
    text = Page(compression_html(certified)).text
    assert said in text
    assert "gives another answer to 3 of 812 windows" in text and "at most 1.2 points" in text
    found = json.loads(answer_json(certified, FORMAT))["artefacts"][1]["certificate"]
    assert found == {
        "windows": 812, "recordings": 96, "independent": 598.0, "changed": 0.00369458,
        "most_changed": 0.0121,
    }  # fmt: skip
    refused = replace(certified, chosen="")
    # Of those that are not kept the one that needs the least tolerance.
    assert "float16-weights gives another answer" in flat(compression_markdown(refused))


def test_where_nothing_was_compared_nothing_is_certified():
    kept = example("kept")
    assert words.agreed(kept) == ""
    assert "without a label" not in compression_markdown(kept)
    assert "without a label" not in Page(compression_html(kept)).text


def test_few_recordings_are_told(compression):
    warned = replace(compression, warnings=few_recordings(3))
    for text in (Page(compression_html(warned)).text, compression_markdown(warned)):
        assert "Few recordings: 3." in text
    assert "Few recordings" not in Page(compression_html(replace(warned, warnings=()))).text


def test_headline_of_the_page_is_that_of_terminal_and_picture(compression):
    read = Page(re.search(r"<h1.*?</h1>", compression_html(compression), re.DOTALL)[0])
    said = letters(words.headline(compression))
    assert letters(read.text) + "." == said
    first = compression_markdown(compression).split("\n\n")[0]
    assert letters(unescape(first)) == f"**{said}**"
    picture = "".join(ElementTree.fromstring(compression_svg(compression)).itertext())
    assert said in letters(picture)


def test_names_stay_text():
    assert "img" not in check_names_stay_text(compression_html(example("hostile"))).tags


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kept", "int8-static: 1.52* faster, 3.9* smaller, loses 0.2 points [-0.3, 0.7] on 240 "
         "unseen clips."),
        ("refused", "Nothing kept: none of 6 artefacts is proven to lose at most 1 point."),
        ("useless", "Nothing kept: no artefact takes clearly less memory than the original."),
        ("broken", "Nothing kept: the only artefact could not be made."),
        ("empty", "Nothing kept: no technique was tried."),
    ],
)  # fmt: skip
def test_headline(name, said):
    assert words.headline(example(name)) == said.replace("*", words.TIMES)


def test_headline_starts_with_what_was_asked_for():
    kept = example("kept")
    small = words.answer(replace(kept, target="size"))
    light = words.answer(replace(kept, target="memory"))
    assert small.startswith(f"3.9{words.TIMES} smaller, 1.52{words.TIMES} faster, loses")
    assert light.startswith(f"1.74{words.TIMES} less memory, 3.9{words.TIMES} smaller, 1.52")


def test_headline_claims_nothing_that_was_not_measured():
    kept = example("kept")
    blind = replace(kept.artefacts[0], loss=None, footprint=Footprint("", NAN, NAN, 0, 0))
    said = words.answer(replace(kept, artefacts=(blind, *kept.artefacts[1:])))
    assert said == "with a loss that was not measured on 240 unseen clips"
    assert "not recorded" in words.answer(replace(kept, artefacts=()))


def test_refusal_says_that_one_did_not_run():
    useless = example("useless")
    dead = replace(useless.artefacts[0], verdict="failed", reason="its network failed")
    said = words.answer(replace(useless, artefacts=(dead, *useless.artefacts[1:])))
    assert said == "no artefact that runs takes clearly less memory than the original"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.52, "1.52* faster"), (2.0, "2* faster"), (3.94, "3.9* faster"), (12.3, "12* faster"),
        (1.004, "as fast"), (0.997, "as fast"), (0.8, "1.25* slower"), (0.05, "20* slower"),
        (0.0, "not measured"), (NAN, "not measured"), (float("inf"), "not measured"),
    ],
)  # fmt: skip
def test_slower_is_never_called_faster(ratio, said):
    footprint = Footprint("torch", 0.01, ratio, 1, 1)
    assert words.faster(footprint) == said.replace("*", words.TIMES)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.loses(Estimate(0.01, -0.02, 0.03)), "loses 1.0 point [-2.0, 3.0]"),
        (words.loses(Estimate(-0.0004, -0.01, 0.0)), "loses 0.0 points [-1.0, 0.0]"),
        (words.loses(Estimate(0.02, NAN, NAN)), "loses 2.0 points (interval not measured)"),
        (words.loses(Estimate(NAN, NAN, NAN)), "with a loss that was not measured"),
        (words.size(23 * 2**20), "23.0 MiB"),
        (words.size(430_000), "0.410 MiB"),
        (words.size(1536 * 2**20), "1.50 GiB"),
        (words.size(0), wording.DASH),
        (words.time(Footprint("", NAN, 1.0, 1, 1)), wording.DASH),
        (words.smaller(None, None), "not measured"),
        (words.allowed(replace(example("kept"), tolerance=0.005)), "0.5 points"),
        (words.allowed(replace(example("kept"), tolerance=0.0)), "0 points"),
    ],
)
def test_figures_in_words(said, expected):
    assert said == expected


def test_every_verdict_and_target_has_words_and_a_mark():
    assert {*get_args(Verdict)} == {*words.VERDICTS} == {*KINDS}
    assert {*KINDS.values()} <= {*MARKS}
    for named in (words.QUESTIONS, words.WANTED, words.SAVES, UNITS):
        assert {*named} == {*get_args(Target)}


# ---------------------------------------------------------------- picture


def test_time_is_that_by_which_artefacts_are_chosen():
    kept = example("kept")
    busy = replace(kept.artefacts[0].footprint, latency_seconds=9.0)
    one = replace(kept.artefacts[0], footprint=busy)
    assert words.amount(kept, one) == pytest.approx(12.1 / 1.52)
    assert words.amount(replace(kept, target="size"), one) == pytest.approx(23.1, abs=0.01)
    assert words.amount(replace(kept, target="memory"), one) == pytest.approx(121.0)


def test_front_holds_those_that_no_other_beats():
    far = off_scale(example("kept"))
    judged = [s for s in spots(example("kept")) if measured(s.figure) and s.name not in far]
    names = [s.name for s in front(judged)]
    assert names == ["pruned", "int8-static", "float16-weights", "int8-weights"]
    for spot in judged:
        here = spot.cost, spot.figure.value
        beaten = any(
            o.cost <= here[0] and o.figure.value <= here[1] and (o.cost, o.figure.value) != here
            for o in judged
        )
        assert beaten == (spot.name not in names)


def test_one_that_loses_far_more_does_not_press_the_others_flat():
    kept = example("kept")
    assert off_scale(kept) == {"int4-weights", "pruned-int8-static"}
    chart = front_picture(kept, 1040, 520)
    assert "off the scale, or answers not measured" in chart
    assert "int4-weights, 48.3 lost</text>" in chart
    ticks = re.findall(r'text-anchor="end">(-?[\d.]+)<', chart)
    assert max(map(float, ticks)) < 10
    # The scale follows the only one there is, however much it loses.
    far = next(a for a in kept.artefacts if a.name == "int4-weights")
    alone = replace(kept, chosen="", artefacts=(far,))
    assert off_scale(alone) == set() and front_picture(alone, 350, 460)


def test_nothing_is_dropped_silently(compression):
    drawn = {spot.name for spot in spots(compression)} - {"original"}
    assert drawn | {*undrawn(compression)} == {a.name for a in compression.artefacts}
    text = Page(compression_html(compression)).text
    picture = flat(" ".join(ElementTree.fromstring(compression_svg(compression)).itertext()))
    for name in undrawn(compression) if worth_drawing(compression) else ():
        assert f"{name}" in text.partition("Not drawn")[2] and name[:30] in picture


def test_marks_without_answers_are_hollow():
    chart = front_picture(example("kept"), 1040, 520)
    assert re.search(r'<title>pruned-int8-weights: [^<]*</title><svg class="mark dropped', chart)
    assert chart.count('class="mark recommended chosen"') == 1
    assert chart.count('class="mark baseline') == 1 and chart.count('class="floor"') == 1


def test_original_is_the_choice_where_nothing_is_kept():
    chart = front_picture(example("refused"), 1040, 520)
    assert 'class="mark baseline chosen"' in chart and "recommended" not in chart


@pytest.mark.parametrize(("width", "height"), [(1040, 520), (350, 460)])
def test_labels_cover_neither_each_other_nor_marks(compression, width, height):
    chart = front_picture(compression, width, height)
    assert bool(chart) == worth_drawing(compression)
    check_labels(chart, width, height, len(spots(compression)) if chart else 0)


@pytest.mark.parametrize("span", [(4.0, 16.0), (8.0, 12.0), (198.0, 235.0), (0.3, 4000.0), (9, 11)])
def test_ticks_are_few_and_round(span):
    low, high = span
    ticks = log_ticks(log10(low), log10(high))
    assert 2 <= len(ticks) <= 10 and all(low <= tick <= high for tick in ticks)
    assert all(float(f"{tick:.3g}") == pytest.approx(tick) for tick in ticks)


def test_picture_is_xml_with_words_and_without_variables(compression):
    text = check_picture(compression_svg(compression))
    drawn = worth_drawing(compression)
    assert ("95 % intervals of the loss" in text) == drawn
    assert ("there is nothing to draw" in text) != drawn
    assert all((meaning in text) for _, meaning in legend(compression) if drawn)


# ---------------------------------------------------------------- data, terminal


def test_json_holds_all_fields_and_null_for_what_is_no_number(compression):
    data = json.loads(answer_json(compression, FORMAT))
    assert [*data] == ["format", *(field.name for field in fields(Compression))]
    assert data["format"] == "vidfit.compression/1"
    assert [*data["original"]] == [field.name for field in fields(Artefact)]
    assert len(data["artefacts"]) == len(compression.artefacts)


def test_json_rounds_and_has_no_nan():
    data = json.loads(answer_json(example("bare"), FORMAT))
    assert data["artefacts"][0]["loss"] == {"value": 0.002, "low": None, "high": None}
    assert data["artefacts"][2]["footprint"]["latency_seconds"] is None


def test_files_are_written_whole_or_not_at_all(tmp_path):
    written = check_written(
        write_compression, example("kept"), example("refused"), "compression", tmp_path
    )
    assert written["chosen"] == ""


def test_summary_fits_a_screen_and_stays_text(compression):
    text = compression_markdown(compression)
    lines = text.splitlines()
    more = 2 * (len(compression.artefacts) > 11) + max(0, min(6, len(compression.failures)) - 2)
    more += 2 * any(artefact.certificate for artefact in compression.artefacts)
    assert len(lines) <= 28 + more
    assert "<script" not in text and "nan" not in text.split()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 3 + min(11, len(compression.artefacts))
    assert len({len(line) for line in rows}) == 1
    if compression.data != example("hostile").data:
        assert max(map(len, lines)) <= 100


def test_summary_says_slower_and_how_many_are_left_out():
    assert f"1.23{words.TIMES} slower" in compression_markdown(example("kept"))
    more = len(example("long").artefacts) - 11
    assert f"{more} more in the report." in compression_markdown(example("long"))


def test_terminal_tells_where_everything_lies(capsys, tmp_path):
    show_compression(example("kept"), tmp_path)
    shown = capsys.readouterr().out
    assert "int8-static" in shown and str(tmp_path / "compression.html") in shown
    assert f"vidfit predict {tmp_path / 'model'} video.mp4" in shown


def test_terminal_names_the_original_where_nothing_is_kept(capsys, tmp_path):
    show_compression(example("refused"), tmp_path)
    shown = capsys.readouterr().out
    assert "vidfit predict runs/two-questions/model video.mp4" in shown
    assert str(tmp_path / "model") not in shown
