"""A number a clip: a planted one is found, a random one is not, and predict says the same."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score
from tests.labelled import numbers, write_backbone

from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.jobs.predict.timeline import timeline_csv, timeline_json
from vidfit.jobs.select.run import run_select
from vidfit.model import load_model
from vidfit.study.options import SelectOptions

RECORDINGS, CLIPS = 10, 6


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Clips that are the greener, the larger their number; and a fit of them."""
    folder = tmp_path_factory.mktemp("number")
    backbone = write_backbone(folder)
    table = numbers(folder / "clips", RECORDINGS, CLIPS)
    report = run_fit(table, folder / "out", FitOptions((backbone,), holdout=0.3))
    return table, folder / "out", report, backbone


def test_planted_numbers_are_found_on_unseen_recordings(planted):
    _, output, report, _ = planted
    assert (report.labels, report.metric, report.higher_is_better) == ("number", "mae", False)
    assert report.score.value < 6 < 12 < report.majority.value
    assert report.score.low <= report.score.value <= report.score.high
    by_name = {figure.metric: figure for figure in report.figures}
    assert by_name["r2"].score.value > 0.9 and by_name["spearman"].score.value > 0.9
    assert report.by_class == () and report.confusion_KK == ()
    read = json.loads((output / "report.json").read_text())
    assert len(read["numbers"]) == len(report.clips) == len(read["clips"])


def test_figures_of_the_report_are_those_of_scikit_learn(planted):
    _, _, report, _ = planted
    number_M, answer_M = np.array(report.numbers).T
    by_name = {figure.metric: figure.score.value for figure in report.figures}
    assert by_name["mae"] == pytest.approx(mean_absolute_error(number_M, answer_M))
    assert by_name["r2"] == pytest.approx(r2_score(number_M, answer_M))
    assert by_name["spearman"] == pytest.approx(spearmanr(number_M, answer_M).statistic)
    assert report.score.value == by_name["mae"]


def test_predict_says_what_the_report_says_of_the_same_clips(planted):
    _, output, report, _ = planted
    predictor = load(output / "model")
    for result, (_, answer) in zip(report.clips, report.numbers, strict=True):
        (window,) = run_predict(predictor, result.clip.path, unknown="off").windows
        assert window.value == pytest.approx(answer, rel=1e-4)
        assert window.label == result.predicted == f"{window.value:.4g}"


def test_numbers_are_written_as_numbers(planted):
    _, output, report, _ = planted
    clip = report.clips[0].clip
    timeline = run_predict(load(output / "model"), clip.path, unknown="off")
    segment = json.loads(timeline_json(timeline))["segments"][0]
    assert segment["probability"] is None and segment["value"] == pytest.approx(
        timeline.segments[0].value, abs=1e-6
    )
    row = next(csv.DictReader(timeline_csv(timeline).splitlines()))
    assert float(row["value"]) == timeline.segments[0].value and row["probability"] == ""


def test_the_model_answers_in_the_unit_of_the_numbers(planted):
    _, output, _, _ = planted
    model = load_model(output / "model")
    assert (model.task, model.classes, model.thresholds) == ("regress", ("number",), ())


def test_page_and_terminal_show_answers_against_numbers(planted):
    _, _, report, _ = planted
    page, text = report_html(report), report_markdown(report)
    assert "Answers against true numbers" in page
    assert page.count('class="bubble"') == len(report.numbers)
    assert "- mean absolute error, the mean" in text and "- R², one less" in text
    assert f"The headline, and these figures, are of: {report.protocol}." in text


def test_random_numbers_stand_at_chance_and_are_not_recommended(planted, tmp_path):
    table, _, _, backbone = planted
    shuffled = numbers(tmp_path / "clips", RECORDINGS, CLIPS, shuffled=True)
    ranking = run_select(shuffled, tmp_path / "out", SelectOptions((backbone,)))
    assert ranking.labels == "number" and not ranking.beats_majority
    assert ranking.score.value == pytest.approx(ranking.majority.value, rel=0.15)
    found = run_select(table, tmp_path / "planted", SelectOptions((backbone,), metric="spearman"))
    assert found.beats_majority and 0.8 < found.score.value < found.score.high <= 1.0
