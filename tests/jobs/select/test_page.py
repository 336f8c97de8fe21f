from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from tests.report.parsed import (
    Page,
    check_names_stay_text,
    check_page,
    check_picture,
    check_written,
)
from tests.report.ranking_example import (
    NAN,
    NOT_MEASURED,
    example_ranking,
    hostile_ranking,
    large_ranking,
    single_ranking,
    tied_ranking,
)

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.select import words
from vidfit.jobs.select.page import FORMAT, ranking_html, write_ranking
from vidfit.jobs.select.picture import ranking_chart, ranking_front, ranking_svg
from vidfit.jobs.select.race_chart import LINE_PIXELS, race_chart, spread
from vidfit.jobs.select.terminal import ranking_markdown
from vidfit.jobs.select.value import Ranking
from vidfit.report import wording
from vidfit.report.data import answer_json
from vidfit.report.picture import picture_style
from vidfit.report.plane import overlap
from vidfit.report.wording import ACCURACY


def bare_ranking() -> Ranking:
    """Return a ranking in which nothing has an interval, a cost or a score."""
    base = example_ranking()
    value = Estimate(0.7, NAN, NAN)
    candidates = tuple(
        replace(c, score=value if i % 2 else NOT_MEASURED, behind_best=NOT_MEASURED,
                seconds_per_clip=NAN, gmacs_per_clip=NAN, scores={"LogME": NAN})
        for i, c in enumerate(base.candidates)
    )  # fmt: skip
    baselines = tuple(
        replace(b, score=NOT_MEASURED, behind_best=NOT_MEASURED) for b in base.baselines
    )
    temporal = replace(base.temporal, ordered=NOT_MEASURED, shuffled=NOT_MEASURED, gain=value)
    return replace(
        base, score=value, naive=NOT_MEASURED, majority=NOT_MEASURED, candidates=candidates,
        rungs=(), baselines=baselines, temporal=temporal, spent_seconds=NAN,
        exhaustive_seconds=NAN,
    )  # fmt: skip


RANKINGS = {
    "example": example_ranking,
    "single": single_ranking,
    "tied": tied_ranking,
    "large": large_ranking,
    "hostile": hostile_ranking,
    "bare": bare_ranking,
    "without temporal": lambda: replace(example_ranking(), temporal=None),
}


@pytest.fixture(scope="module", params=RANKINGS)
def ranking(request):
    return RANKINGS[request.param]()


# ---------------------------------------------------------------- page


def test_page_is_whole_and_has_its_sections(ranking):
    _, ids = check_page(ranking_html(ranking), 400_000)
    assert {"candidates", "asked", "rules", "failures", "time", "limits", "provenance"} <= {*ids}


def test_page_names_every_candidate_and_marks_one(ranking):
    html = ranking_html(ranking)
    text = Page(html).text
    for candidate in ranking.candidates:
        assert " ".join(candidate.name.split()) in text
    for failure in (*ranking.dropped, *ranking.failures[:500]):
        assert failure.name in text and failure.reason in text
    assert html.count('class="chosen"') == 1
    tied = sum(c.standing == "tied" for c in ranking.candidates)
    assert html.count('<tr role="row" class="tie">') == tied


def test_names_stay_text():
    read = check_names_stay_text(ranking_html(hostile_ranking()))
    assert "img" not in read.tags and "Use <script>alert(1)</script>" in read.text


def test_page_says_what_was_found():
    text = Page(ranking_html(example_ranking())).text
    for said in (
        "Use efficientnet-lite0 : 78.1 % [72.3, 83.4] expected on new recordings",
        "here worth 0.3 points: that is allowed for in the 78.1 % expected of efficientnet-lite0",
        "it took 22 % of that",
        "The rarest class has 28 clips: tuning the head first and then all weights may pay",
        "The order of frames does not matter here",
        "loses 16.7 points [12.7, 24.9] to efficientnet-lite2 on the 30 clips that both saw; "
        "7.6 times the time per clip of efficientnet-lite0",
        "licence CC-BY-NC-4.0 forbids commercial use",
        "LogME",
    ):
        assert said in text
    assert "This was not measured." not in text


def test_page_leaves_out_what_is_not_there():
    text = Page(ranking_html(single_ranking())).text
    assert "LogME" not in text and "Never ran" not in text and "tied:" not in text
    assert "This was not measured." in text and "It was the only candidate" in text


# ---------------------------------------------------------------- race chart


def test_lines_of_the_race_end_where_candidates_were_dropped():
    ranking = example_ranking()
    chart = race_chart(ranking, 1040, 480)
    paths = re.findall(r'class="course (\w+)" d="M([^"]+)"', chart)
    assert len(paths) == len(ranking.candidates)
    points = sorted((kind, path.count("L") + 1) for kind, path in paths)
    seen = {30: 1, 90: 2, 236: 3}
    assert points == sorted((c.standing, seen[c.clips]) for c in ranking.candidates)
    assert paths[-1][0] == "recommended"


@pytest.mark.parametrize(("width", "named"), [(1040, True), (350, False)])
@pytest.mark.parametrize("make", [example_ranking, large_ranking, hostile_ranking])
def test_labels_of_the_race_do_not_overlap(make, width, named):
    chart = race_chart(make(), width, 480, named=named)
    found = re.findall(r'<text class="label[^"]*" x="([\d.]+)" y="([\d.]+)">([^<]*)<', chart)
    boxes = [
        (float(x), float(y) - 12, float(x) + 6.5 * len(unescape(text)), float(y) + 2)
        for x, y, text in found
    ]
    assert len(boxes) >= 12
    for i, box in enumerate(boxes):
        assert box[0] >= 0 and box[2] <= width + 1 and box[1] > 20 and box[3] < 480
        assert not any(overlap(box, other) for other in boxes[i + 1 :])


def test_race_of_one_round_is_not_drawn():
    assert race_chart(tied_ranking(), 1040, 480) == ""
    assert race_chart(replace(example_ranking(), rungs=()), 1040, 480) == ""


def test_spread_keeps_order_distance_and_bounds():
    places = spread([50, 50, 51, 90, 300, 300], 40, 300)
    assert places == sorted(places) and places[0] >= 40 and places[-1] <= 300
    assert all(b - a >= LINE_PIXELS - 1e-9 for a, b in pairwise(places))
    assert spread([60, 120], 40, 300) == [60, 120]
    assert spread([], 40, 300) == []


# ---------------------------------------------------------------- cost chart and picture


def test_front_is_of_those_who_saw_as_many_clips_as_the_best():
    ranking = example_ranking()
    names = [c.name for c in ranking_front(ranking)]
    assert names == ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"]
    late = replace(ranking.candidates[5], clips=236)
    with_late = replace(ranking, candidates=(*ranking.candidates[:5], late))
    assert ranking_front(with_late)[0] == late


def test_chart_marks_each_candidate_by_its_standing():
    chart = ranking_chart(example_ranking(), 1040, 460)
    kinds = re.findall(r'class="mark (\w+) ', chart)
    assert sorted(kinds) == sorted(c.standing for c in example_ranking().candidates)
    assert chart.count('class="floor"') == 1
    unmeasured = replace(example_ranking(), majority=NOT_MEASURED)
    assert 'class="floor"' not in ranking_chart(unmeasured, 1040, 460)


def test_picture_is_xml_with_words_and_without_variables(ranking):
    answer = "expected on new recordings." if ranking.beats_majority else "Nothing here is proven"
    assert answer in check_picture(ranking_svg(ranking))


def test_picture_survives_what_xml_forbids():
    ranking = replace(example_ranking(), why="a\x00b\x1b[0m", recommended="n" * 300)
    text = " ".join(ElementTree.fromstring(ranking_svg(ranking)).itertext())
    assert "a b [0m" in text and "78.1 % [72.3, 83.4] expected on new recordings." in text


def test_picture_has_the_rules_of_the_page_for_charts():
    style = picture_style()
    assert "svg text" in style and ".mark.dropped" in style and ".whisker" in style
    assert ".board" not in style and "#0b6a75" in style


# ---------------------------------------------------------------- data and summary


def test_json_holds_every_field_in_order():
    read = json.loads(answer_json(example_ranking(), FORMAT))
    assert list(read) == ["format", *(f.name for f in fields(Ranking))]
    assert read["format"] == "vidfit.ranking/2"
    first = example_ranking().candidates[0]
    assert read["candidates"][0]["score"]["value"] == first.score.value
    assert read["rungs"][0]["dropped"][0] == {
        "name": "motion-histogram", "reason": "16.1 points behind, proven on 30 clips",
    }  # fmt: skip


def test_json_writes_null_for_what_was_not_measured():
    read = json.loads(answer_json(bare_ranking(), FORMAT), parse_constant=pytest.fail)
    assert read["score"] == {"value": 0.7, "low": None, "high": None}
    assert read["spent_seconds"] is None


def test_markdown_puts_the_answer_first_and_marks_the_tied():
    text = ranking_markdown(example_ranking())
    assert text.startswith(
        "**Use efficientnet-lite0: 78.1 % [72.3, 83.4] expected on new recordings.**\n\nFour "
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 14 and len({row.count("|") for row in rows}) == 1
    assert [row.split("|")[2].strip() for row in rows if row.startswith("| → |")] == [
        "efficientnet-lite0"
    ]
    assert sum(row.startswith("| = |") for row in rows) == 3
    for said in (
        "- largest (87.8 M parameters): clip-vit-b32, 62.7 % [46.3, 79.1]; loses 16.7 points",
        "- best published (Kinetics-400 top-1 81.0 %): mvit-small",
        "- The rarest class has 28 clips",
        "- Round 1: 30 clips of 25 recordings, 14 ran, 8 are left. Dropped: motion-histogram",
        "and 2 more.",
        "- timesformer-base: licence",
        "3.1 core-minutes of decoding and inference",
        "> Class 'wash hands'",
    ):
        assert said in text


def test_markdown_stays_in_its_cells_and_short(ranking):
    text = ranking_markdown(ranking)
    assert len(text.splitlines()) < 64 and not re.search(r"\bnan\b", text)
    assert "<script>" not in text and "<img" not in text


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("own", "score", "said"),
    [
        (0.82, 0.80, "worth 2.0 points: that is allowed for in the 80.0 % expected of efficient"),
        (0.80, 0.80, "No sign that the choice flatters"),
        (NAN, 0.80, "was not measured"),
    ],
)
def test_claim_is_set_beside_what_holds(own, score, said):
    base = example_ranking()
    candidates = tuple(
        replace(c, score=Estimate(own, NAN, NAN)) if c.name == base.recommended else c
        for c in base.candidates
    )
    ranking = replace(base, candidates=candidates, score=Estimate(score, score, score))
    assert said in words.claim_sentence(ranking)


def test_baseline_is_judged_by_its_interval():
    ranking = example_ranking()
    largest = ranking.baselines[0]
    near = replace(largest, behind_best=Estimate(0.02, -0.01, 0.05))
    assert words.baseline_sentence(near, ranking).startswith("not told apart from")
    unknown = replace(largest, name="never-ran", behind_best=NOT_MEASURED)
    assert words.baseline_sentence(unknown, ranking) == "its score here was not measured"
    same = replace(largest, name=ranking.recommended)
    assert words.baseline_sentence(same, ranking) == "the same choice"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.behind(Estimate(0.021, -0.004, 0.046), ACCURACY), "2.1 points [-0.4, 4.6]"),
        (words.behind(Estimate(0.021, NAN, NAN), ACCURACY), "2.1 points (interval not measured)"),
        (words.behind(Estimate(0.0, 0.0, 0.0), ACCURACY), wording.DASH),
        (words.behind(NOT_MEASURED, ACCURACY), "not measured"),
        (words.core_time(186.4), "3.1 core-minutes"),
        (words.core_time(2.5), "2.5 core-seconds"),
        (words.core_time(NAN), "not measured"),
    ],
)
def test_figures_are_worded(said, expected):
    assert said == expected


def test_every_regime_has_words():
    from typing import get_args

    from vidfit.plans import Regime

    assert set(words.REGIMES) == set(get_args(Regime))


# ---------------------------------------------------------------- files


def test_files_are_written_whole_or_not_at_all(tmp_path):
    written = check_written(write_ranking, example_ranking(), single_ranking(), "ranking", tmp_path)
    assert written["clip_count"] == 30


def test_failures_without_an_accuracy_are_named_in_the_race():
    ranking = example_ranking()
    first = ranking.rungs[0]
    broken = Failure("lost-one", "cannot be loaded")
    rung = replace(first, dropped=(*first.dropped, broken))
    ranking = replace(ranking, rungs=(rung, *ranking.rungs[1:]))
    assert "15 ran, 8 are left" in words.round_sentence(1, rung)
    assert "cannot be loaded" in Page(ranking_html(ranking)).text
