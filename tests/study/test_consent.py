"""Nothing of people starts without a stated consent: no job, no model, no command."""

from __future__ import annotations

import json

import pytest
from tests.called import call
from tests.coloured_people import CONSENT, colour_encoder, see_blocks, write_people

from vidfit.errors import ConsentError
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.select.run import run_select
from vidfit.study.consent import check_consent
from vidfit.study.opened_model import open_members, open_model
from vidfit.study.options import SelectOptions
from vidfit.tasks import TASKS, task_named


@pytest.fixture
def people(tmp_path, monkeypatch):
    see_blocks(monkeypatch)
    return write_people(tmp_path / "people", ["Chi", "Dee"], 3)


@pytest.mark.parametrize("purpose", [None, "", "  ", "ok", "x" * 501])
def test_no_job_starts_and_nothing_is_written(people, tmp_path, purpose):
    for run, options in ((run_fit, FitOptions), (run_select, SelectOptions)):
        with pytest.raises(ConsentError, match="--i-have-consent PURPOSE"):
            run(people, tmp_path / "out", options(task="faces", consent=purpose))
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_is_missing(people, tmp_path):
    result = call("fit", people, "--task", "faces", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "does not start: faces of people are measured and compared" in result.stderr


@pytest.mark.parametrize("name", ["dlib-face", "dlib-face@2", "onnx:net.onnx"])
def test_an_encoder_of_faces_is_of_no_other_task(people, tmp_path, name):
    for task in (None, "classify"):
        with pytest.raises(ConsentError, match="tells people by their faces"):
            run_fit(people, tmp_path / "out", FitOptions(task=task, backbones=(name,)))
    assert not (tmp_path / "out").exists()


def test_only_people_need_it():
    assert [name for name in TASKS if task_named(name).consent] == ["faces"]
    assert check_consent(task_named("classify"), None) == ""
    assert check_consent(task_named("faces"), "  a  door\n of ours ") == "a door of ours"


def test_it_is_written_into_model_and_report_and_asked_for_again(people, tmp_path):
    encoder = colour_encoder(tmp_path / "c.onnx")
    options = FitOptions(task="faces", backbones=(encoder,), consent=CONSENT)
    report = run_fit(people, tmp_path / "out", options)
    assert f"Consent was stated for: {CONSENT}" in report.warnings
    assert CONSENT in (tmp_path / "out" / "report.html").read_text()
    document = json.loads((tmp_path / "out" / "model" / "model.json").read_text())
    assert document["card"]["consent"] == CONSENT
    for opened in (open_model, load):
        with pytest.raises(ConsentError, match="only `vidfit predict` asks it"):
            opened(tmp_path / "out" / "model")
    with pytest.raises(ConsentError, match="does not start"):
        open_model(tmp_path / "out" / "model", consent="")
    assert [b.spec.family for b in open_members(tmp_path / "out" / "model")] == ["onnx"]
    assert open_model(tmp_path / "out" / "model", consent="another purpose").model.classes
