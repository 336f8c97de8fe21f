from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from html import unescape
from math import floor, log10

import pytest
from tests.report import training_example
from tests.report.parsed import (
    Page,
    check_names_stay_text,
    check_page,
    check_picture,
    check_written,
    flat,
    letters,
)

from vidfit.cli.train import show_training
from vidfit.contracts import Estimate
from vidfit.jobs.train import words
from vidfit.jobs.train.curves import curves, subplots
from vidfit.jobs.train.page import FORMAT, training_html, training_svg, write_training
from vidfit.jobs.train.terminal import training_markdown
from vidfit.jobs.train.value import ReadWords, Teaching, TrainingReport
from vidfit.jobs.train.words import choices, compared, seconds, step_seconds
from vidfit.plans import Layout, Prediction
from vidfit.report import wording
from vidfit.report.charts import round_axis
from vidfit.report.data import answer_json
from vidfit.report.frame import resource
from vidfit.report.picture import picture_style

NAN = float("nan")
EXAMPLES = ("trained", "taught", "open", "untested", "empty", "long", "hostile")


def example(name: str) -> TrainingReport:
    return getattr(training_example, f"{name}_example")()


@pytest.fixture(scope="module", params=EXAMPLES)
def report(request):
    return example(request.param)


# ---------------------------------------------------------------- page


def test_page_is_whole_and_has_its_sections(report):
    _, ids = check_page(training_html(report))
    always = {"answer", "curves", "compared", "choices", "failures", "time", "run", "limits"}
    assert always | {"provenance"} <= {*ids}
    assert ("layouts" in ids) == bool(report.plan.options)


def test_page_holds_every_figure(report):
    text = Page(training_html(report)).text
    plan = report.plan
    for count in (report.learned, report.chosen_by, report.tested):
        assert f" {count} " in text
    for epoch in report.history:
        assert words.number(epoch.loss) in text and words.number(epoch.log_loss) in text
        assert wording.percent(epoch.accuracy) in text
        assert words.number(epoch.learning_rate) in text
    for row in compared(report):
        assert f"{row.name} {row.predicted} {row.measured} {row.times}" in text
    for option in plan.options:
        assert words.size(option.predicted.peak_bytes) in text and option.refused in text
        assert seconds(option.predicted.total_seconds) in text
    for said in (*plan.reasons.values(), *plan.warnings, *report.warnings):
        assert said in text
    for failure in report.failures:
        assert failure.name in text and failure.reason in text
    for key, value in report.machine.items():
        assert key in text and value in text
    assert words.subject(plan.subject) in text and words.layout(plan.layout) in text


def test_headline_of_the_page_is_that_of_terminal_and_picture(report):
    read = Page(re.search(r"<h1.*?</h1>", training_html(report), re.DOTALL)[0])
    said = letters(words.headline(report))
    assert letters(read.text) + "." == said
    terminal = unescape(training_markdown(report).splitlines()[0].replace("\\|", "|"))
    assert letters(terminal) == f"**{said}**"
    assert said in letters(check_picture(training_svg(report)))


def test_names_stay_text():
    assert "img" not in check_names_stay_text(training_html(example("hostile"))).tags


def test_page_marks_the_chosen_layout_and_the_kept_epoch_once():
    html = training_html(example("trained"))
    assert html.count('<tr class="chosen">') == 2
    assert html.count('<b class="badge">chosen</b>') == 1


def test_page_folds_many_layouts():
    base = example("trained")
    many = replace(base, plan=replace(base.plan, options=base.plan.options * 3))
    html = training_html(many)
    assert "Show 9 more layouts" in html
    assert html.count('<b class="badge">chosen</b>') == 1


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("score", "majority", "standing", "said"),
    [
        (Estimate(0.8, 0.7, 0.9), 0.3, "above", "(majority class 30.0 %)"),
        (Estimate(0.8, 0.3, 0.9), 0.3, "open", "not proven better than the majority class (30"),
        (Estimate(0.3, 0.2, 0.4), 0.3, "open", "not proven better than"),
        (Estimate(0.1, 0.0, 0.2), 0.3, "below", "worse than the majority class (30.0 %)"),
        (Estimate(0.8, NAN, NAN), 0.3, "unsure", "80.0 % (interval not measured)"),
        (Estimate(0.8, 0.7, 0.9), NAN, "unsure", "the majority class: not measured"),
        (Estimate(NAN, NAN, NAN), 0.3, "unknown", "was not measured"),
        (None, 0.3, "untested", "trained, and not tested on unseen recordings"),
    ],
)  # fmt: skip
def test_answer_claims_no_more_than_the_interval(score, majority, standing, said):
    report = replace(example("trained"), score=score, majority=Estimate(majority, NAN, NAN))
    assert words.standing(report) == standing
    assert said in words.answer(report)
    assert ("do not show that it has learned" in words.verdict(report)) == (standing == "open")
    assert ("lies above the majority" in words.verdict(report)) == (standing == "above")


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (Layout(), "Steps of 8 clips in fp32."),
        (Layout(8, 4), "Steps of 32 clips (micro-batches of 8 * 4 added up) in fp32."),
        (Layout(1, 1, "bf16", True), "Steps of 1 clip in bf16; activations computed again in the "
         "backward pass (checkpointing)."),
        (Layout(4, processes=2, sharding="ddp"), "Steps of 8 clips (micro-batches of 4 * "
         "2 processes) in fp32; all weights in each process (DDP)."),
    ],
)  # fmt: skip
def test_layout_in_words(layout, said):
    assert words.layout(layout) == said.replace("*", wording.TIMES)


def test_epochs_in_words():
    stopped, bare = example("trained"), example("untested")
    assert words.epochs(stopped).startswith("It learned for 26 epochs of 30, and stopped")
    assert f"epoch {stopped.best_epoch + 1} were kept" in words.epochs(stopped)
    assert words.epochs(bare).endswith(
        "for without validation clips there is nothing to choose by."
    )
    assert words.epochs(example("empty")) == "No epoch was recorded."


def test_every_regime_and_sharding_has_words():
    from typing import get_args

    from vidfit.plans import Regime, Sharding

    assert {*get_args(Regime)} == {*words.REGIMES}
    assert {*get_args(Sharding)} == {*words.SHARDINGS}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.size(3 * 2**30), "3 GiB"),
        (words.size(430_000_000), "410 MiB"),
        (words.size(1023 * 2**20), "1,023 MiB"),
        (words.size(0), wording.DASH),
        (words.times(1.5, 1.0), f"1.50 {wording.TIMES}"),
        (words.times(12000.0, 1.0), f"12,000 {wording.TIMES}"),
        (words.times(NAN, 1.0), wording.DASH),
        (words.times(1.0, 0.0), wording.DASH),
        (words.number(0.00012345), "0.000123"),
        (words.number(NAN), "not measured"),
        (seconds(0.0), wording.DASH),
        (seconds(float("inf")), wording.DASH),
    ],
)
def test_figures_in_words(said, expected):
    assert said == expected


# ---------------------------------------------------------------- predicted and measured


def test_a_predicted_step_holds_its_waiting_as_the_measured_one_does():
    assert step_seconds(Prediction(0, 0.3, 0.25, 1.0)) == pytest.approx(0.4)
    assert step_seconds(Prediction(0, 0.3, 1.0, 1.0)) == float("inf")


def test_epochs_that_did_not_run_are_not_counted_as_saved():
    base = example("trained")
    half = replace(base, history=base.history[:15])
    foreseen = replace(base.plan.predicted, total_seconds=30 * 4.0)
    half = replace(half, plan=replace(base.plan, predicted=foreseen))
    row = compared(half)[-1]
    took = sum(epoch.seconds for epoch in half.history)
    assert (row.name, row.predicted) == ("15 of 30 epochs", "1 min 00 s")
    assert row.times == f"{took / 60:.2f} {wording.TIMES}"
    assert "Fewer epochs ran" in Page(training_html(half)).text


def test_every_setting_is_told_and_those_with_a_reason_come_first():
    plan = example("trained").plan
    found = choices(plan)
    names = [choice.name for choice in found]
    parts = (plan.subject, plan.layout, plan.recipe)
    assert {*names} == {"batch", *(field.name for part in parts for field in fields(part))}
    assert {*names[: len(plan.reasons)]} == {*plan.reasons}
    values = {choice.name: choice.value for choice in found}
    assert values["batch"] == wording.counted(plan.layout.batch_clips, "clip")
    assert values["checkpointing"] == "yes" and values["deterministic"] == "no"
    assert values["batch_schedule"] == "from 0 %: *1, from 50 %: *2".replace("*", wording.TIMES)


def test_the_reason_for_the_batch_stands_beside_its_clips():
    plan = example("trained").plan
    layout = replace(plan.layout, micro_batch=4, accumulation=3, processes=1)
    first = choices(replace(plan, layout=layout, reasons={"batch": "as asked for"}))[0]
    assert (first.name, first.value, first.reason) == ("batch", "12 clips", "as asked for")


def test_a_reason_for_no_field_is_told_too():
    plan = replace(example("trained").plan, reasons={"made_up": "because"})
    assert (choices(plan)[0].name, choices(plan)[0].reason) == ("made_up", "because")


# ---------------------------------------------------------------- curves


@pytest.mark.parametrize("values", [[0.61, 0.68], [0.0, 0.001], [3.0], [0.0], [-2, 5], [98.2, 100]])
@pytest.mark.parametrize("most", [1, 2, 4, 17])
def test_axis_holds_all_values_in_few_round_steps(values, most):
    axis = round_axis(values, most)
    assert axis.low <= min(values) + 1e-9 and axis.high >= max(values) - 1e-9
    assert 2 <= len(axis.ticks) <= most + 3
    step = axis.ticks[1] - axis.ticks[0]
    digit = round(step / 10 ** floor(log10(step) + 1e-9), 3)
    assert digit in (1, 2, 5)


def test_subplots_leave_out_what_was_not_measured():
    def titles(report: TrainingReport) -> list[str]:
        return [subplot.title.split(",")[0] for subplot in subplots(report)]

    drawn = ["loss", "right on validation clips", "learning rate"]
    assert titles(example("trained")) == [*drawn, "clips of a step"]
    assert titles(example("untested")) == ["loss", "learning rate"]
    assert subplots(example("empty")) == [] and curves(example("empty"), 350, 600) == ""


def test_curve_breaks_where_nothing_was_measured():
    base = example("trained")
    whole = re.findall(r'class="curve validated" d="M[^"]*L', curves(base, 1040, 700))
    torn = replace(base, history=tuple(
        replace(e, log_loss=NAN, accuracy=NAN) if e.number in (4, 6) else e for e in base.history
    ))  # fmt: skip
    chart = curves(torn, 1040, 700)
    assert len(re.findall(r'class="curve validated" d="M[^"]*L', chart)) == 2 * len(whole)
    assert chart.count('class="dot validated"') == 2


def test_kept_epoch_is_marked_on_each_validation_curve():
    base = example("trained")
    chart = curves(base, 1040, 700)
    assert f"kept: epoch {base.best_epoch + 1}</text>" in chart
    kept = {float(x) for x in re.findall(r'class="kept" x1="([\d.]+)"', chart)}
    marks = re.findall(r'class="mark backbone chosen" x="([\d.]+)"', chart)
    assert len(marks) == 2 and {float(x) for x in marks} == kept


@pytest.mark.parametrize(("width", "height"), [(1040, 700), (350, 640)])
def test_curves_stay_inside_and_words_do_not_overlap(report, width, height):
    chart = str(curves(report, width, height))
    for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", chart):
        assert 0 <= float(x) <= width and 0 <= float(y) <= height
    found = re.findall(
        r'<text(?: class="\w+")? x="([\d.]+)" y="([\d.]+)"(?: text-anchor="(\w+)")?>([^<]*)<', chart
    )
    assert bool(found) == bool(report.history)
    boxes = []
    for x, y, anchor, text in found:
        size = 6.2 * len(text)
        left = float(x) - size * {"": 0, "start": 0, "middle": 0.5, "end": 1}[anchor]
        boxes.append((left, float(y) - 9, left + size, float(y) + 2))
    for i, one in enumerate(boxes):
        assert one[0] >= -1 and one[2] <= width + 12 and one[3] <= height
        for other in boxes[i + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1], (one, other)


# ---------------------------------------------------------------- picture, data, terminal


def test_picture_is_xml_with_words_and_without_variables(report):
    assert flat(words.epochs(report)) in flat(check_picture(training_svg(report)))


def test_picture_has_the_colours_of_the_curves():
    style = picture_style(resource("page.css", "vidfit.jobs.train"))
    assert ".curve.learned" in style and "#b3480f" in style and ".settings" not in style


def test_json_holds_all_fields_and_null_for_what_is_no_number(report):
    data = json.loads(answer_json(report, FORMAT))
    assert [*data] == ["format", *(field.name for field in fields(TrainingReport))]
    assert data["format"] == "vidfit.training/1"
    assert len(data["history"]) == len(report.history)
    assert data["plan"]["layout"]["micro_batch"] == report.plan.layout.micro_batch
    assert (data["score"] is None) == (report.score is None)


def test_json_rounds_and_has_no_nan():
    data = json.loads(answer_json(example("untested"), FORMAT))
    assert data["history"][0]["log_loss"] is None and data["step_seconds"] is None


def test_files_are_written_whole_or_not_at_all(tmp_path):
    written = check_written(
        write_training, example("trained"), example("open"), "training", tmp_path
    )
    assert written["score"]["value"] == 0.31


def test_summary_is_a_screenful_and_stays_text(report):
    text = training_markdown(report)
    assert len(text.splitlines()) < 40 and "<script" not in text and "nan" not in text.split()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5 and len({line.count(" | ") for line in rows}) == 1


def test_terminal_tells_where_everything_lies(capsys, tmp_path):
    show_training(example("trained"), tmp_path)
    shown = capsys.readouterr().out
    assert "majority class 27.8 %" in shown and str(tmp_path / "training.html") in shown
    assert f"vidfit predict {tmp_path / 'model'} video.mp4" in shown


# ---------------------------------------------------------------- clips without a label, and words


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (Estimate(0.07, 0.01, 0.13), "They pay, a proven gain: +7.0 points [+1.0, +13.0]"),
        (Estimate(0.07, -0.01, 0.15), "No gain is proven: +7.0 points"),
        (Estimate(-0.07, -0.13, -0.01), "They do harm, a proven loss: -7.0 points"),
        (Estimate(0.07, NAN, NAN), "No gain is proven: +7.0 points"),
    ],
)
def test_what_a_teacher_brought_is_proven_or_not(gain, says):
    base = example("taught")
    said = " ".join(words.teaching(replace(base, teaching=replace(base.teaching, gain=gain))))
    assert says in said.replace("\u2212", "-")
    assert "1,900 clips without a label of 61 recordings, 4 in a step for each clip" in said
    assert "at least 90 % sure of 66 % of them, which had its answer" in said
    assert "37 more clips of recordings that choose the epoch or test" in said
    assert "(75.0 % [63.0, 86.0], at most 127 epochs)" in said


def test_what_was_not_compared_says_why():
    base = example("taught")
    long = replace(base, teaching=Teaching(9, 9, 0, 0.0, 7200.0))
    assert "never 90 % sure: nothing was learned from them then" in words.teaching(long)[0]
    assert "training took 2 h" in words.teaching(long)[1]
    untested = replace(long, tested=0)
    assert "no recordings were put aside to test on" in words.teaching(untested)[1]
    assert words.teaching(example("trained")) == words.read(example("trained")) == []


def test_what_words_bring_is_proven_or_not():
    base = example("taught")
    said = " ".join(words.read(base))
    assert "812 words known, from 401 of 480 clips" in said
    assert "Words bring +21.0 points [+10.0, +33.0], a proven gain" in said
    assert "(120 of 144 tested clips have words)" in said
    silent = replace(base, read=ReadWords(812, 401, 0, 3))
    assert "no clip with words was put aside" in words.read(silent)[1]
    assert words.read(base)[1] in training_markdown(base)
    assert words.teaching(base)[1] in training_markdown(base)
