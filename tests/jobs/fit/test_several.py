"""Several labels a clip: planted ones are found, random ones are not, and predict says the same."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score
from tests.labelled import several, write_backbone

from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.export.run import run_export
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.page import report_html
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.run import run_fuse
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.jobs.predict.timeline import timeline_csv, timeline_json
from vidfit.jobs.select.run import run_select
from vidfit.model import load_model
from vidfit.study.options import SelectOptions

RECORDINGS, CLIPS = 10, 6


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Clips whose colours say which labels they have, and a fit of them."""
    folder = tmp_path_factory.mktemp("several")
    backbone = write_backbone(folder)
    table = several(folder / "clips", RECORDINGS, CLIPS)
    report = run_fit(table, folder / "out", FitOptions((backbone,), holdout=0.3))
    return table, folder / "out", report, backbone


def test_planted_labels_are_found_on_unseen_recordings(planted):
    _, output, report, _ = planted
    assert (report.labels, report.metric) == ("several", "map")
    assert report.classes == ("blue", "green", "red")
    assert 0.99 > report.score.value > 0.85 > 0.75 > report.majority.value
    assert report.score.low <= report.score.value <= report.score.high
    assert report.majority_class == "how often each class occurs"
    assert [figure.metric for figure in report.figures] == ["map", "micro-f1", "macro-f1"]
    assert report.confusion_KK == () and np.isnan(report.accuracy.value)
    read = json.loads((output / "report.json").read_text())
    assert read["by_class"][0]["label"] == "blue" and read["accuracy"]["value"] is None


def test_figures_of_the_report_are_those_of_scikit_learn(planted):
    _, _, report, _ = planted
    names = report.classes
    there_MK = np.array([[n in r.clip.label.split("|") for n in names] for r in report.clips])
    said_MK = np.array([[n in r.predicted.split("|") for n in names] for r in report.clips])
    by_name = {figure.metric: figure for figure in report.figures}
    for average in ("micro", "macro"):
        expected = f1_score(there_MK, said_MK, average=average)
        assert by_name[f"{average}-f1"].score.value == pytest.approx(expected)
    for k, one in enumerate(report.by_class):
        assert one.f1.value == pytest.approx(f1_score(there_MK[:, k], said_MK[:, k]))
        assert one.clips == there_MK[:, k].sum()
        assert one.precision.value == pytest.approx(there_MK[said_MK[:, k], k].mean())
    each = [one.average_precision.value for one in report.by_class]
    assert report.score.value == pytest.approx(np.mean(each))


def test_predict_says_what_the_report_says_of_the_same_clips(planted):
    _, output, report, _ = planted
    predictor = load(output / "model")
    scores, there = [], []
    for result in report.clips:
        timeline = run_predict(predictor, result.clip.path, unknown="off")
        (window,) = timeline.windows
        assert window.label == result.predicted
        assert window.probability == pytest.approx(result.probability, abs=1e-4)
        scores.append(window.scores)
        there.append([name in result.clip.label.split("|") for name in report.classes])
    expected = average_precision_score(there, scores, average="macro")
    assert report.score.value == pytest.approx(expected, abs=1e-6)


def test_answers_name_the_labels_and_carry_all_scores(planted):
    _, output, report, _ = planted
    both = next(r for r in report.clips if r.predicted.count("|") == 1)
    timeline = run_predict(load(output / "model"), both.clip.path, unknown="off")
    assert timeline.labels == "several"
    segment = json.loads(timeline_json(timeline))["segments"][0]
    assert segment["label"] == both.predicted and len(segment["scores"]) == 3
    row = next(csv.DictReader(timeline_csv(timeline).splitlines()))
    assert row["label"] == both.predicted
    assert all(name in row["scores"] for name in report.classes)


def test_the_model_is_restored_with_its_thresholds(planted):
    _, output, report, _ = planted
    model = load_model(output / "model")
    assert model.task == "tag" and len(model.thresholds) == 3
    assert report.thresholds == model.thresholds
    document = json.loads((output / "model" / "model.json").read_text())
    document["thresholds"] = document["thresholds"][:2]
    with pytest.raises(ModelError, match="it has 2 thresholds; valid are none, or one a class"):
        _altered(output, document)


def _altered(output, document):
    path = output / "model" / "model.json"
    text = path.read_text()
    try:
        path.write_text(json.dumps(document))
        load_model(output / "model")
    finally:
        path.write_text(text)


def test_page_and_terminal_show_each_class(planted):
    _, _, report, _ = planted
    page, text = report_html(report), report_markdown(report)
    assert "Which labels it finds" in page and "Confusion" not in page
    for label in report.classes:
        assert f'<th scope="row">{label}</th>' in page
        assert f"- {label}: in " in text
    assert "- micro F1, the harmonic" in text and "calibration error" not in page


def test_random_labels_stand_at_chance_and_are_not_recommended(planted, tmp_path):
    table, _, _, backbone = planted
    shuffled = several(tmp_path / "clips", RECORDINGS, CLIPS, shuffled=True)
    ranking = run_select(shuffled, tmp_path / "out", SelectOptions((backbone,)))
    assert ranking.labels == "several" and not ranking.beats_majority
    assert abs(ranking.score.value - ranking.majority.value) < 0.15
    found = run_select(table, tmp_path / "planted", SelectOptions((backbone,)))
    assert found.beats_majority and found.score.value > 0.8


def test_decisions_may_decide(planted, tmp_path):
    table, _, _, backbone = planted
    options = SelectOptions((backbone,), metric="micro-f1")
    ranking = run_select(table, tmp_path / "out", options)
    assert ranking.metric == "micro-f1" and ranking.score.value > 0.7
    assert ranking.majority.value == pytest.approx(2 / 3, abs=0.15)  # all is said of all


@pytest.mark.parametrize("metric", ["accuracy", "mae"])
def test_a_metric_of_another_kind_is_refused_before_any_work(planted, tmp_path, metric):
    table, _, _, backbone = planted
    with pytest.raises(VidfitError, match=f"--metric {metric} does not fit clips with several"):
        run_fit(table, tmp_path / "out", FitOptions((backbone,), metric=metric))


def test_what_does_not_know_several_labels_says_so(planted, tmp_path):
    table, output, _, backbone = planted
    with pytest.raises(VidfitError, match="--student is for clips with one class each"):
        run_fuse(table, tmp_path / "out", FuseOptions((backbone,), student=True))
    with pytest.raises(VidfitError, match="--keep-untested is for clips with one class each"):
        run_fit(table, tmp_path / "out", FitOptions((backbone,), keep_untested=True))
    with pytest.raises(ModelError, match="vidfit export takes models that answer with one class"):
        run_export(output / "model", tmp_path / "export")
    with pytest.raises(VidfitError, match="a least probability is for models that answer"):
        load(output / "model").declining("0.7")
