"""Two processes learn what one learns, go on where one stopped, and outlive a killed one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.training.tiny import run_of, stop_at, trained
from tests.training.worker import PAUSE, SHARED, alone

from vidfit.training.parallel import launch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

TOLERANCE = {"atol": 1e-6, "rtol": 0}
"""Of weights around 0.1 after 12 steps: sums of float32 in another order."""


def torchrun(folder):
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("--max-restarts", "3", "--monitor-interval", "0.1"),
        *("-m", "tests.training.worker", str(folder)),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


@pytest.fixture(scope="module")
def one():
    return trained(alone())


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes made of it: one start of torchrun for all that is asked of it."""
    folder = tmp_path_factory.mktemp("two")
    paused = trained(alone(), run_of(folder / "ddp-from-one", stop=stop_at(PAUSE)))
    assert not paused.finished
    shutil.copytree(folder / "ddp-from-one", folder / "fsdp-from-one")
    torchrun(folder)
    return folder


def agree(one, path):
    weights = load_file(path.with_suffix(".safetensors"))
    assert weights.keys() == one.weights.keys()
    for name, tensor in one.weights.items():
        torch.testing.assert_close(weights[name], tensor, **TOLERANCE)
    history = json.loads(path.with_suffix(".json").read_text())
    for found, expected in zip(history, one.history, strict=True):
        assert found["batch_clips"] == expected.batch_clips
        assert found["loss"] == pytest.approx(expected.loss, abs=1e-6)
        assert found["log_loss"] == pytest.approx(expected.log_loss, abs=1e-6)
        assert found["accuracy"] == pytest.approx(expected.accuracy)


@pytest.mark.parametrize("sharding", SHARED)
def test_two_processes_learn_what_one_learns(one, two, sharding):
    agree(one, two / f"{sharding}-whole")


@pytest.mark.parametrize("sharding", SHARED)
def test_two_go_on_where_one_has_stopped(one, two, sharding):
    agree(one, two / f"{sharding}-resumed")


@pytest.mark.parametrize("sharding", SHARED)
def test_one_goes_on_where_two_have_stopped(one, two, sharding, tmp_path):
    shutil.copytree(two / f"{sharding}-paused", tmp_path / "run")
    resumed = trained(alone(), run_of(tmp_path / "run"))
    assert resumed.finished
    for name, tensor in one.weights.items():
        torch.testing.assert_close(resumed.weights[name], tensor, **TOLERANCE)


def test_a_killed_process_changes_nothing(one, two):
    assert (two / "has died").exists()
    agree(one, two / "survived")


def test_alone_a_process_is_the_first_and_sums_are_its_own():
    place = launch(alone().layout, "cpu")
    assert (place.rank, place.world, place.first, place.device) == (0, 1, True, "cpu")
    assert place.summed(torch.tensor([1.5])).tolist() == [1.5]
