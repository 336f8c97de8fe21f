"""A process that learns pixels is killed at a step, and another goes on: to the bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys

import pytest
from tests.moving import videos

pytestmark = pytest.mark.slow

CHILD = """
import sys
from pathlib import Path
from vidfit.pixels import learn
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.run import run_forecast
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.run import run_generate
from vidfit.jobs.restore.options import RestoreOptions
from vidfit.jobs.restore.run import run_restore

task, clips, output = sys.argv[1:]
learn.StepBudget.__init__.__defaults__ = (600.0, None, 0.0)  # a checkpoint at each step
write = learn.write_checkpoint

def told(*args):
    write(*args)
    print("checkpoint", flush=True)

learn.write_checkpoint = told
if task == "restore":
    run_restore(clips, Path(output), RestoreOptions(scale=2, steps=5, width=8, blocks=1))
elif task == "generate":
    run_generate(clips, Path(output), GenerateOptions(side=16, windows=1, steps=3))
else:
    run_forecast(clips, Path(output), ForecastOptions(seen=3, ahead=2, side_pixels=16, steps=4))
"""

CLIPS = {"restore": 2, "forecast": 3, "generate": 30}


def started(*words):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process) -> int:
    """Return how many checkpoints it wrote."""
    said = process.communicate(timeout=900)[0]
    assert process.returncode == 0
    return said.split().count("checkpoint")


def figures(output):
    """Return all that was measured, but for the time that it took."""

    def timeless(value):
        if isinstance(value, dict):
            return {k: timeless(v) for k, v in value.items() if "seconds" not in k}
        return [timeless(v) for v in value] if isinstance(value, list) else value

    return timeless(json.loads((output / "report.json").read_text()))


@pytest.mark.parametrize("task", CLIPS)
def test_a_killed_fit_goes_on_to_the_bit(tmp_path, task):
    clips, whole, cut = tmp_path / "clips", tmp_path / "whole", tmp_path / "cut"
    videos(clips, [f"v{n:02d}" for n in range(CLIPS[task])], count=14, height=40, width=48)
    written = ended(started(task, clips, whole))
    process = started(task, clips, cut)
    last = random.randint(2, written - 3)
    for number in range(last):
        assert process.stdout.readline() == "checkpoint\n", f"{number} of {last}"
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    assert not (cut / "model").exists() and list(cut.rglob("checkpoint-*"))
    assert ended(started(task, clips, cut)) < written
    assert figures(cut) == figures(whole)
    weights = [(of / "model" / "weights.safetensors").read_bytes() for of in (cut, whole)]
    assert weights[0] == weights[1], f"after a kill at checkpoint {last} of {written}"
