"""A fit that is killed at any moment goes on where it was, and ends as if nothing had been."""

from __future__ import annotations

import random
import shutil
import signal
import time

import pytest
from benchmarks.kill import Run, differences, disturb, spread, undisturbed
from tests.clips import spec

from vidfit.features import FeatureStore

pytestmark = pytest.mark.slow

MOMENTS = 2


def test_a_killed_fit_ends_as_an_undisturbed_one(fitted, tmp_path):
    run = Run(fitted.clips, ("motion",))
    seconds = undisturbed(run, tmp_path / "reference")
    moments = spread(0.9 * seconds, MOMENTS, random.Random(0))
    kills = disturb(run, tmp_path / "killed", tmp_path / "reference", moments)
    assert len(kills) == MOMENTS
    assert any(kill.killed for kill in kills)
    assert all(kill.complaint == "" for kill in kills)
    undisturbed(run, tmp_path / "killed")
    assert differences(tmp_path / "reference", tmp_path / "killed") == []


SLOW = """
import time
from tests.clips import Counting


class Slow(Counting):
    def __init__(self):
        super().__init__("slow")

    def forward(self, frames_BTHWC):
        time.sleep(0.4)
        return super().forward(frames_BTHWC)
"""


def test_an_interrupt_by_keyboard_keeps_what_is_done(fitted, tmp_path):
    (tmp_path / "slow_backbone.py").write_text(SLOW)
    run = Run(fitted.clips, (f"{tmp_path / 'slow_backbone.py'}:Slow",))
    process = run.start(tmp_path / "out")
    for line in process.stderr:
        if line.startswith(b"decode and extract"):
            break
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted; the same command goes on from here" in message
    kept = FeatureStore(tmp_path / "out" / "features").known(spec("slow"))
    assert 0 < len(kept) < 12
    assert not (tmp_path / "out" / "model").exists()


def test_a_difference_would_be_seen(fitted, tmp_path):
    shutil.copytree(fitted.output, tmp_path / "other")
    report = tmp_path / "other" / "report.json"
    report.write_text(report.read_text().replace('"chosen": "motion"', '"chosen": "colour"'))
    assert differences(fitted.output, fitted.output) == []
    assert differences(fitted.output, tmp_path / "other") == ["report.json: chosen"]
    model = tmp_path / "other" / "model" / "model.json"
    model.write_text(model.read_text().replace('"temperature": ', '"temperature": 1'))
    assert "model.json: temperature" in differences(fitted.output, tmp_path / "other")
