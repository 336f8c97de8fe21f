"""Two workers: killed executors lose nothing, and training is as by torchrun."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.launch.conftest import NO_JAVA

pytestmark = [NO_JAVA, pytest.mark.slow, pytest.mark.timeout(600)]


def found(scenario, folder, root):
    command = [sys.executable, "-m", "tests.launch.on_cluster", scenario, str(folder)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=540)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_killed_executors_lose_nothing_double_nothing_and_change_no_answer(tmp_path, request):
    assert found("killed", tmp_path, request.config.rootpath) == {
        "killed extracting": 1,
        "clips": 32,
        "failures": 0,
        "digests equal": True,
        "features equal": True,
        "written twice": 0,
        "killed answering": 1,
        "answers": 24,
        "answers equal": True,
    }


def test_training_gives_the_weights_of_torchrun(tmp_path, request):
    facts = found("training", tmp_path, request.config.rootpath)
    assert facts["equal"] and facts["bytes"] > 1000
