"""``vidfit fit CLIPS --task restore``."""

from __future__ import annotations

import json

import pytest
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


def test_a_network_of_another_scale_is_refused(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.Swin2SRConfig(
        image_size=16, embed_dim=12, depths=[1], num_heads=[2], window_size=4, upscale=2,
        upsampler="pixelshuffledirect",
    )  # fmt: skip
    transformers.Swin2SRForImageSuperResolution(config).save_pretrained(tmp_path / "swin")
    asked = ["fit", str(tmp_path), "--task", "restore", "--scale", "4"]
    done = CliRunner().invoke(app, [*asked, "--backbone", f"hf:{tmp_path / 'swin'}"])
    assert done.exit_code and "give --scale 2" in f"{done.output} {done.exception}"


def test_options_of_other_tasks_are_refused(tmp_path):
    done = CliRunner().invoke(app, ["fit", str(tmp_path), "--task", "restore", "--ahead", "3"])
    assert done.exit_code == 2 and "knows no --ahead" in done.output
