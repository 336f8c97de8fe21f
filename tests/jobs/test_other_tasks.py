"""A task of another package goes through select, fit and predict as those that are built in."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest
from tests.labelled import boxes, numbers, write_backbone
from tests.tasks.toys import BOX

import vidfit.tasks
from vidfit.contracts import Clip
from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.compress.options import CompressOptions
from vidfit.jobs.compress.run import run_compress
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
from vidfit.manifest import read_manifest
from vidfit.model import load_model
from vidfit.study.options import SelectOptions
from vidfit.tasks import task_named

RECORDINGS, CLIPS = 8, 4


@pytest.fixture(scope="module", autouse=True)
def _offered():
    """Offer a task as another package does."""
    entry = EntryPoint("box", "tests.tasks.toys:BOX", vidfit.tasks.GROUP)
    patch = pytest.MonkeyPatch()
    patch.setattr("vidfit.tasks.entry_points", lambda group: [entry])
    task_named.cache_clear()
    yield
    patch.undo()
    task_named.cache_clear()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    backbone = write_backbone(folder)
    table = boxes(folder / "clips", RECORDINGS, CLIPS)
    report = run_fit(table, folder / "out", FitOptions((backbone,), task="box"))
    return table, folder / "out", report, backbone


def test_fit_finds_where_it_is_on_unseen_recordings(fitted):
    _, output, report, _ = fitted
    assert (report.labels, report.metric, report.task) == ("box", "iou", "where a square is")
    assert report.score.low > report.majority.value and report.score.value > 0.8
    assert report.candidates[-1].name == "the median box"
    for page in (report_html(report), report_markdown(report)):
        assert "iou" in page and ">nan" not in page and ">None<" not in page
    assert json.loads((output / "report.json").read_text())["labels"] == "box"


def test_select_ranks_encoders_by_its_measure(fitted, tmp_path):
    table, _, report, backbone = fitted
    ranking = run_select(table, tmp_path, SelectOptions((backbone,), task="box"))
    assert ranking.metric == "iou"
    assert ranking.majority.high < ranking.naive.value <= report.score.value


def test_predict_answers_as_the_report_does(fitted):
    _, output, report, _ = fitted
    assert load_model(output / "model").task == "box"
    predictor = load(output / "model")
    said = [run_predict(predictor, r.clip.path, unknown="off") for r in report.clips]
    kind = BOX.kind
    clips = [r.clip for r in report.clips]
    answers = [Clip("x", label=one.segments[0].label) for one in said]
    truth, found = kind.truth(clips, ()), kind.truth(answers, ())
    measure = BOX.measure
    overlap = float(measure.figure(measure.sums(truth, found)[None])[0])
    assert overlap >= report.score.value - 0.02  # it has learned from these clips
    assert '"probability": null' in timeline_json(said[0])
    assert timeline_csv(said[0]).splitlines()[1].count(",") == 6


def test_what_a_task_cannot_do_is_refused_in_a_line(fitted, tmp_path):
    table, output, _, backbone = fitted
    with pytest.raises(VidfitError, match="answers of the task 'box' cannot be combined"):
        run_fuse(table, tmp_path, FuseOptions((backbone,), task="box"))
    with pytest.raises(VidfitError, match="--train is for clips with one class each"):
        run_fit(table, tmp_path, FitOptions((backbone,), task="box", train="gru"))
    with pytest.raises(ModelError, match="vidfit compress takes models that answer with one class"):
        run_compress(output / "model", table, tmp_path, CompressOptions())
    with pytest.raises(VidfitError, match="--smooth takes models that answer with one class"):
        load(output / "model").smoothing(2)
    with pytest.raises(VidfitError, match="--metric mae does not fit clips with a box each"):
        run_fit(table, tmp_path, FitOptions((backbone,), task="box", metric="mae"))


def test_labels_that_are_none_of_the_task_are_named(fitted, tmp_path):
    table, *_ = fitted
    wrong = table.parent / "wrong.csv"
    wrong.write_text("path,group,label\nv0.mp4,r0,0.1 0.2 0.3 0.4\nv1.mp4,r1,somewhere\n")
    with pytest.raises(VidfitError, match=r"v1\.mp4 has the label 'somewhere', which "):
        read_manifest(wrong, labels=BOX.kind)


def test_models_of_a_number_are_fused_and_answer(tmp_path):
    backbone = write_backbone(tmp_path)
    table = numbers(tmp_path / "clips", RECORDINGS, CLIPS)
    found = run_fuse(table, tmp_path / "out", FuseOptions((backbone, "motion")))
    assert found.metric == "mae" and found.majority.value > found.score.value
    assert {o.name.partition("-")[0] for o in found.options} >= {
        "concat",
        "stack",
    } and not found.pairs
    timeline = run_predict(load(tmp_path / "out" / "model"), str(table.parent / "v0.mp4"))
    assert timeline.segments[0].value is not None
