"""Which way videos are answered: by the task of the model, or the name of a detector."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.predict.by_task import WAYS, check_options, way_of


def document(directory, task):
    facts = {
        "format": 1, "classes": ["a"], "members": ["m"], "head": "h", "temperature": 1.0,
        "unknown_probability": 0.1, "unknown_novelty": 1.0, "window_seconds": 1.0,
        "longest_seconds": 1.0, "card": {}, "files": {}, "task": task,
    }  # fmt: skip
    (directory / "model.json").write_text(json.dumps(facts))
    return str(directory)


def test_a_model_is_answered_as_its_task_says(tmp_path):
    for task in ("classify", "anomaly"):
        assert way_of(document(tmp_path, task)) is None
    for task, way in WAYS.items():
        directory = document(tmp_path, task)
        assert way_of(directory) is way_of(directory, task) is way
        with pytest.raises(ModelError, match=f"answers the task '{task}'"):
            way_of(directory, "classify")


def test_an_encoder_stands_in_place_of_a_model_and_a_folder_does_not(tmp_path, monkeypatch):
    assert way_of("motion") is way_of("own.py:Detector") is WAYS["detect"]
    assert way_of("motion", "classify") is None
    assert way_of(str(tmp_path)) is None
    monkeypatch.chdir(tmp_path)
    Path("motion").mkdir()  # answers of an earlier run, say
    assert way_of("motion") is WAYS["detect"]
    with pytest.raises(ModelError, match="'no/such/folder' is no folder of a model, and no enc"):
        way_of("no/such/folder")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_can_be_imported(way):
    assert callable(way.open())


def test_options_of_other_tasks_are_refused():
    check_options(WAYS["detect"], ["every", "line"])
    with pytest.raises(VidfitError, match="--every is for models of detect"):
        check_options(None, ["every"])
