"""A forecaster says what comes after a video, and how surprising each of its frames was."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vidfit.contracts import Clip, Failure
from vidfit.errors import VidfitError
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.run import run_forecast
from vidfit.jobs.predict.by_task import AskedOfTask, way_of
from vidfit.jobs.predict.forecast import run as ahead
from vidfit.progress import SILENT
from vidfit.video import probe, write_video

QUICK = ForecastOptions(seen=3, ahead=2, side_pixels=16, steps=3)


def _video(path, seed=0, frames=14, size=(20, 26)):
    rng = np.random.default_rng(seed)
    still = rng.integers(0, 256, (*size, 3), np.uint8)
    write_video(path, (np.roll(still, t, axis=1) for t in range(frames)), 10)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        _video(folder / f"v{number}.mp4", number)
    _video(folder / "odd.mp4", 5, size=(19, 27))
    return folder


@pytest.fixture(scope="module")
def model(clips, tmp_path_factory):
    output = tmp_path_factory.mktemp("forecast")
    run_forecast(clips, output, QUICK)
    return output / "model"


def _asked(model, videos, output, formats=("json", "mp4", "png", "npy", "csv")):
    names = [f"n{number}" for number in range(len(videos))]
    return AskedOfTask(str(model), videos, names, output, formats, 1, SILENT, {})


def test_a_model_says_what_comes_and_how_surprising_frames_were(model, clips, tmp_path):
    assert way_of(str(model)).open() is ahead.run_forecast
    videos = [
        Clip(str(clips / "odd.mp4")),
        _short(tmp_path),
        Failure("gone.mp4", "it is not there"),
    ]
    told = list(ahead.run_forecast(_asked(model, videos, tmp_path)))
    assert not told[0].failure and "2 frames after" in told[0].lines[0]
    assert "it has 2 frames, and the model sees 3" in told[1].failure
    assert told[2].failure == "it is not there"
    said = np.load(tmp_path / "n0.npy")
    assert said.shape == (2, 16, 16) and said.min() > 0 and said.max() < 1
    assert probe(str(tmp_path / "n0.mp4")).frame_count == 2
    rows = (tmp_path / "n0.csv").read_text().splitlines()
    assert rows[0] == "seconds,frame,surprise"
    assert len(rows) == 1 + 14 - 3
    assert all(float(row.split(",")[2]) >= 0 for row in rows[1:])
    assert len(json.loads((tmp_path / "n0.json").read_text())["frames"]) == 2
    with pytest.raises(VidfitError, match="valid are json, mp4, png, npy, csv"):
        list(ahead.run_forecast(_asked(model, videos, tmp_path, ("vtt",))))


def _short(folder):
    return Clip(str(_video(folder / "two.mp4", frames=2)))


def test_surprise_does_not_depend_on_where_chunks_end(model, clips, tmp_path, monkeypatch):
    video = [Clip(str(clips / "v0.mp4"))]
    list(ahead.run_forecast(_asked(model, video, tmp_path, ("csv",))))
    whole = (tmp_path / "n0.csv").read_text()
    monkeypatch.setattr(ahead, "_CHUNK", 4)
    list(ahead.run_forecast(_asked(model, video, tmp_path, ("csv",))))
    assert (tmp_path / "n0.csv").read_text() == whole
