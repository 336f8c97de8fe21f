"""What `vidfit export` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.called import call

from vidfit.jobs.export.run import Exported


def test_options_arrive_and_differences_are_shown(monkeypatch, tmp_path):
    asked = []
    found = Exported(
        tmp_path, "onnx", {"classifier.onnx": 1.2e-6, "a.safetensors": 0.0}, ("no network: motion",)
    )
    monkeypatch.setattr("vidfit.jobs.export.run.run_export", lambda *a: asked.append(a) or found)
    words = ["export", "out/model", "--format", "openvino", "--backbone", "mine.py:Mine"]
    result = call(*words)
    assert result.exit_code == 0, result.output
    assert asked[0][:4] == (
        Path("out/model"), Path("out/model-openvino"), "openvino", ("mine.py:Mine",),
    )  # fmt: skip
    lines = result.output.splitlines()
    assert lines[0].split(maxsplit=1) == ["classifier.onnx", "differs from vidfit by 1.2e-06"]
    assert lines[1].endswith("the same to the bit")
    assert lines[2] == "Note     no network: motion"
    assert lines[-1] == f"Export   {tmp_path}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere"], "vidfit: nowhere is no model"),
        (["nowhere", "--format", "tflite"], "Invalid value for '--format'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words, complaint):
    result = call("export", *words)
    assert result.exit_code == 2 and complaint in result.output
