"""Two workers: killed executors lose nothing, and training is as by torchrun."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.launch.conftest import NO_JAVA

pytestmark = [NO_JAVA, pytest.mark.timeout(600)]


def found(scenario, folder, root):
    command = [sys.executable, "-m", "tests.launch.on_cluster", scenario, str(folder)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=540)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_killed_executor_in_extraction_loses_nothing_and_doubles_nothing(tmp_path, request):
    assert found("extraction", tmp_path, request.config.rootpath) == {
        "killed": 1,
        "clips": 48,
        "failures": 0,
        "digests_equal": True,
        "features_equal": True,
        "written_twice": 0,
    }


def test_a_killed_executor_in_prediction_changes_no_answer(tmp_path, request):
    assert found("prediction", tmp_path, request.config.rootpath) == {
        "killed": 1,
        "answers": 24,
        "equal": True,
    }


def test_training_gives_the_weights_of_torchrun(tmp_path, request):
    facts = found("training", tmp_path, request.config.rootpath)
    assert facts["equal"] and facts["bytes"] > 1000
