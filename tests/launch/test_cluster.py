"""Two workers: killed executors lose nothing, and training is as by torchrun."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.launch.conftest import NO_JAVA

pytestmark = [NO_JAVA, pytest.mark.slow, pytest.mark.timeout(600)]


def test_killed_executors_change_nothing_and_training_gives_the_weights_of_torchrun(
    tmp_path, request
):
    ended = subprocess.run(
        [sys.executable, "-m", "tests.launch.on_cluster", str(tmp_path)],
        cwd=request.config.rootpath, capture_output=True, text=True, timeout=540,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert json.loads(ended.stdout.splitlines()[-1]) == {
        "killed extracting": 1,
        "clips": 32,
        "failures": 0,
        "digests equal": True,
        "features equal": True,
        "written twice": 0,
        "killed answering": 1,
        "answers": 12,
        "answers equal": True,
        "trained": True,
        "weights equal": True,
    }
