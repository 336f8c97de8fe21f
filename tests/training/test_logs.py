"""Each epoch is told once, in lines of JSON and in event files that TensorBoard reads."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict

import pytest

from vidfit.errors import StoreError, VidfitError
from vidfit.training.epoch import Epoch
from vidfit.training.logs import event_files, lines_of_json


def epoch(number, loss=0.5):
    return Epoch(number, loss, 7, 64, 1e-3, math.nan, 0.75, 2.5)


def numbers(path):
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


def test_a_line_holds_what_is_known_of_the_epoch(tmp_path):
    look = lines_of_json(tmp_path / "run" / "metrics.jsonl")
    look(epoch(0))
    look(epoch(1))
    assert numbers(tmp_path / "run" / "metrics.jsonl") == [0, 1]
    (line, _) = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    expected = {**asdict(epoch(0)), "log_loss": None, "taught": None}
    assert json.loads(line, parse_constant=pytest.fail) == expected


def test_a_run_that_goes_on_tells_of_no_epoch_twice(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for number in range(4):
        lines_of_json(path)(epoch(number))
    resumed = lines_of_json(path)
    resumed(epoch(2, loss=0.25))
    assert numbers(path) == [0, 1, 2]
    assert json.loads(path.read_text().splitlines()[2])["loss"] == 0.25
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize("content", ['{"number": 0', '{"other": 0}', "[1]", "\n"])
def test_a_file_of_something_else_is_not_written_over(tmp_path, content):
    path = tmp_path / "metrics.jsonl"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"cannot add epoch 1 to .*none of vidfit's"):
        lines_of_json(path)(epoch(1))
    assert path.read_text() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="free space"):
        lines_of_json(tmp_path / "file" / "metrics.jsonl")(epoch(0))


def test_event_files_are_read_back(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    first = event_files(tmp_path)
    for number in range(3):
        first(epoch(number, loss=number))
    resumed = event_files(tmp_path)
    resumed(epoch(2, loss=10.0))
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss/train")] == [(0, 0), (1, 1), (2, 10)]
    assert [e.value for e in events.Scalars("step/batch_clips")] == [64] * 3
    assert "loss/validation" not in events.Tags()["scalars"]  # which is no number here


def test_without_tensorboard_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(VidfitError, match=r"pip install 'vidfit\[log\]'"):
        event_files(tmp_path)
