"""What `vidfit benchmark` says, and what it passes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.called import call
from tests.jobs.benchmark.test_write import example

from vidfit.jobs.benchmark.options import BenchmarkOptions


@pytest.fixture
def asked(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "vidfit.jobs.benchmark.run.run_benchmark", lambda *args: calls.append(args) or example()
    )
    return calls


def test_options_arrive_and_files_are_named(asked, tmp_path):
    words = ["benchmark", "m", "--video", "v.mp4", "--compile", "--seconds", "2"]
    words += ["--backbone", "f.py:Own", "-o", tmp_path]
    result = call(*words)
    assert result.exit_code == 0, result.output
    ((model, output, options, _),) = asked
    assert (model, output) == (Path("m"), tmp_path)
    assert options == BenchmarkOptions(Path("v.mp4"), True, 2.0, ("f.py:Own",))
    lines = result.output.splitlines()
    assert lines[-1] == f"Picture  {tmp_path / 'benchmark.svg'}"
    assert any(line.startswith("| **ONNX Runtime** | 1 |") for line in lines)


def test_files_go_beside_the_model(asked, tmp_path):
    call("benchmark", tmp_path / "out" / "model")
    assert asked[0][1] == tmp_path / "out"


def test_json_is_all_that_is_printed(asked):
    result = call("benchmark", "m", "--json")
    assert json.loads(result.stdout)["model"] == "out/model"


def test_what_is_no_model_is_said_in_one_line(tmp_path):
    result = call("benchmark", tmp_path)
    assert result.exit_code == 2
    assert result.output.startswith("vidfit: ") and "model.json" in result.output
