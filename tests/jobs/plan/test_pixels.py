"""What learns on frames is planned by a trial of its own job."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.called import call

from vidfit.errors import BudgetError, VidfitError
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.plan import pixels
from vidfit.jobs.plan.pixels import run_pixel_plan
from vidfit.planning.pilot import Piloted
from vidfit.video import write_video

GIB = 2**30


@pytest.fixture
def trial(monkeypatch):
    """A job that took 12 s of the processor in 8 s, 4 of them for learning."""
    monkeypatch.setattr(pixels, "pilot", lambda *_: Piloted(GIB, 8.0, 12.0, 4.0))


def test_the_rest_of_learning_is_added_by_what_the_trial_took(trial, tmp_path):
    plan = run_pixel_plan("forecast", "clips", tmp_path, ForecastOptions(cpu_seconds=150.0))
    assert plan.learning_seconds == pytest.approx(100.0)
    assert plan.other_seconds == pytest.approx(8.0 - 4.0 / 1.5)
    assert plan.total_seconds == pytest.approx(plan.learning_seconds + plan.other_seconds)
    steps = ForecastOptions(steps=2 * pixels.STEPS)
    assert run_pixel_plan("forecast", "clips", tmp_path, steps).learning_cpu_seconds == 8.0


def test_what_does_not_fit_is_refused_before_it_runs(trial, tmp_path):
    with pytest.raises(BudgetError, match=r"would hold 1\.00 GiB, and 1\.33 GiB are there"):
        run_pixel_plan("forecast", "clips", tmp_path, ForecastOptions(), int(1.33 * GIB))
    assert run_pixel_plan("forecast", "clips", tmp_path, ForecastOptions(), int(1.34 * GIB))


def test_a_task_without_a_trial_is_named(tmp_path):
    with pytest.raises(VidfitError, match="restore, forecast, generate"):
        run_pixel_plan("detect", "clips", tmp_path, ForecastOptions())


def test_a_plan_of_real_clips_on_the_command_line(tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(3):
        still = np.random.default_rng(number).integers(0, 256, (20, 26, 3), np.uint8)
        frames = (np.roll(still, t, axis=1) for t in range(12))
        write_video(clips / f"v{number}.mp4", frames, 10)
    words = ["plan", clips, "--task", "forecast", "--seen", 3, "--ahead", 2, "--side", 16]
    result = call(*words, "--cpu-seconds", 7, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert f"vidfit fit {clips} --task forecast --seen 3 --ahead 2 --side 16 --cpu-seconds 7" in (
        " ".join(result.output.split())
    )
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert plan["format"] == "vidfit.pixelplan/1" and plan["learning_cpu_seconds"] == 7.0
    assert plan["peak_bytes"] > 2**27
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.json"]


def test_a_restorer_has_no_encoder_unless_one_is_named(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        pixels, "pilot", lambda run, options, *_: asked.append(options) or Piloted(1, 1.0, 1.0, 1.0)
    )
    words = ["plan", tmp_path, "--task", "restore", "--scale", 4, "-o", tmp_path / "out"]
    assert call(*words).exit_code == 0
    beside = call(*words, "--backbone", "realesrgan")
    assert "--backbone realesrgan --scale 4" in " ".join(beside.output.split())
    assert [options.pretrained for options in asked] == [(), ("realesrgan",)]


def test_a_task_of_no_frames_and_options_of_no_task_are_refused(tmp_path):
    other = call("plan", tmp_path, "--task", "read")
    assert other.exit_code == 2 and "restore" in other.output
    alone = call("plan", tmp_path, "--side", 32)
    assert alone.exit_code == 2 and "leave it away" in alone.output
    beside = call("plan", tmp_path, "--task", "restore", "--epochs", 3)
    assert beside.exit_code == 2 and "--epochs" in beside.output
