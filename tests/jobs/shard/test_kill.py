"""Sharding that is killed or interrupted at any moment ends as if nothing had been."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from tests.sharded import BY_VIDEO, sums

from vidfit.jobs.shard.run import run_shard

SLOWLY = """
import sys, time
from pathlib import Path
from vidfit.jobs.shard.run import run_shard
from vidfit.jobs.shard.options import ShardOptions
from vidfit.shards.tar import Tar

put = Tar.put

def slow(self, data):
    time.sleep(0.004)
    put(self, data)

Tar.put = slow

class Told:
    def start(self, stage, total): print("started", total, flush=True)
    def advance(self, count=1): print("shard", flush=True)
    def note(self, text): pass

options = ShardOptions(shard_clips=3, holdout=0.25, workers=2)
run_shard(sys.argv[1], Path(sys.argv[2]), options, Told())
"""


def _killed(loose, out, after, how):
    command = [sys.executable, "-c", SLOWLY, str(loose), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(after + 1):
        process.stdout.readline()
    time.sleep(0.01)
    process.send_signal(how)
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_killed_run_goes_on_to_the_same_bytes(loose, by_video, tmp_path, after):
    assert _killed(loose, tmp_path, after, signal.SIGKILL) == -signal.SIGKILL
    assert not (tmp_path / "shards.json").exists()
    done = run_shard(loose, tmp_path, BY_VIDEO)
    assert sums(tmp_path) == sums(by_video)
    assert [path.name for path in tmp_path.glob("**/.tmp-*")] == []
    assert done.were_there <= after + 2


def test_an_interrupt_keeps_finished_shards(loose, by_video, tmp_path):
    assert _killed(loose, tmp_path, 2, signal.SIGINT) != 0
    kept = sorted(path.name for path in tmp_path.glob("*.tar"))
    assert kept and list(tmp_path.glob(".tmp-*")) == []
    assert run_shard(loose, tmp_path, BY_VIDEO).were_there == len(kept)
    assert sums(tmp_path) == sums(by_video)
