"""``vidfit fit CLIPS --task restore``."""

from __future__ import annotations

import json

from tests.moving import videos
from typer.testing import CliRunner

from vidfit.cli.main import app


def test_fit_writes_a_model_and_predict_makes_a_video_larger(tmp_path):
    paths = videos(tmp_path / "clips", ("a", "b"), count=5, height=40, width=48)
    run = ["fit", str(tmp_path / "clips"), "--task", "restore", "--cpu-seconds", "1"]
    done = CliRunner().invoke(app, [*run, "--output", str(tmp_path / "run"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["scale"] == 2
    model, out = str(tmp_path / "run" / "model"), str(tmp_path / "out")
    done = CliRunner().invoke(app, ["predict", model, str(paths[0]), "--output", out])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "a.mp4").is_file()


def test_options_of_other_tasks_are_refused(tmp_path):
    done = CliRunner().invoke(app, ["fit", str(tmp_path), "--task", "restore", "--ahead", "3"])
    assert done.exit_code == 2 and "knows no --ahead" in done.output
