"""A forecaster is fitted, kept and used; what cannot be used is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, ModelError, NotEnoughDataError, StoreError, VidfitError
from vidfit.jobs.forecast import run as job
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.run import run_forecast
from vidfit.jobs.forecast.sources import known_layouts
from vidfit.jobs.forecast.terminal import lines
from vidfit.pixels.forecast.kept import load_forecaster
from vidfit.video import write_video

QUICK = ForecastOptions(seen=3, ahead=2, side_pixels=16, steps=3)


def _video(path, seed=0, frames=14, size=(20, 26), **change):
    rng = np.random.default_rng(seed)
    still = rng.integers(0, 256, (*size, 3), np.uint8)
    write_video(path, (np.roll(still, t, axis=1) for t in range(frames)), 10, **change)
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return a folder with videos of many kinds, and what was made of it."""
    folder = tmp_path_factory.mktemp("forecast")
    clips = folder / "clips"
    clips.mkdir()
    for number in range(3):
        _video(clips / f"v{number}.mp4", number)
    _video(clips / "odd.mp4", 5, size=(19, 27))
    _video(clips / "ten.mp4", 6, codec="libx265", pixel_format="yuv420p10le")
    _video(clips / "short.mp4", 7, frames=4)
    write_video(clips / "black.mp4", (np.zeros((20, 20, 3), np.uint8) for _ in range(9)), 10)
    (clips / "broken.mp4").write_bytes(b"no video")
    return folder, run_forecast(clips, folder / "out", QUICK)


def test_figures_stand_beside_baselines_and_what_is_left_out_is_told(fitted):
    folder, report = fitted
    assert report.recordings + report.held_out == 6
    names = [row.name for row in report.table.rows]
    assert names[:4] == ["black", "mean", "copy-last", "copy-last, calibrated"]
    left_out = {Path(f.name).name: f.reason for f in report.failures}
    assert set(left_out) == {"short.mp4", "broken.mp4"}
    assert "it has 4 frames, and 5 are needed" in left_out["short.mp4"]
    assert any("1 clip of 6 show" in note for note in report.notes)
    data = json.loads((folder / "out" / "report.json").read_text())
    assert data["format"] == "vidfit.forecast/1"
    page = (folder / "out" / "report.html").read_text()
    assert "data:image/png" in page and "short.mp4" in page
    said = "\n".join(lines(report))
    assert "copy-last, calibrated" in said and "2 clips left out" in said
    assert not (folder / "out" / "checkpoints").exists()


def test_the_same_steps_and_seed_give_the_same_model(fitted, tmp_path):
    folder, report = fitted
    again = run_forecast(folder / "clips", tmp_path, QUICK)
    assert again.table.chosen == report.table.chosen or again.table.rows[1] == report.table.rows[1]
    one, other = (
        json.loads((place / "report.json").read_text())["table"]["rows"]
        for place in (folder / "out", tmp_path)
    )
    assert [row["mse"] for row in one] == [row["mse"] for row in other]


def test_an_interrupted_run_goes_on_to_the_bit(fitted, tmp_path, monkeypatch):
    folder, report = fitted
    from contextlib import contextmanager

    asked = iter([False, False, False, True] + [False] * 99)

    @contextmanager
    def stopping():
        yield lambda: next(asked)

    monkeypatch.setattr(job, "stopped_by_signals", stopping)
    with pytest.raises(KeyboardInterrupt):
        run_forecast(folder / "clips", tmp_path, QUICK)
    assert (tmp_path / "checkpoints").is_dir()
    monkeypatch.undo()
    again = run_forecast(folder / "clips", tmp_path, QUICK)
    assert [row.mse for row in again.table.rows] == [row.mse for row in report.table.rows]


def test_a_damaged_model_is_refused(fitted, tmp_path):
    import shutil

    folder, _ = fitted
    model = tmp_path / "model"
    shutil.copytree(folder / "out" / "model", model)
    assert load_forecaster(model).sizes.ahead == 2
    weights = model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ModelError):
        load_forecaster(model)


def test_one_clip_is_too_few(tmp_path):
    (tmp_path / "clips").mkdir()
    _video(tmp_path / "clips" / "a.mp4")
    with pytest.raises(NotEnoughDataError, match=r"of 1 recording; 2 are put aside"):
        run_forecast(tmp_path / "clips", tmp_path / "out", QUICK)


def test_clips_that_are_all_too_short_are_told_of(tmp_path):
    (tmp_path / "clips").mkdir()
    _video(tmp_path / "clips" / "a.mp4", frames=3)
    with pytest.raises(NotEnoughDataError, match="take fewer with --seen and --ahead"):
        run_forecast(tmp_path / "clips", tmp_path / "out", QUICK)


def test_a_full_disk_is_an_error_that_says_so(fitted, tmp_path, monkeypatch):
    folder, _ = fitted

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidfit.files.os.fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        run_forecast(folder / "clips", tmp_path / "out", QUICK)


def test_options_without_meaning_are_refused():
    for change in ({"seen": 0}, {"side_pixels": 30}, {"cpu_seconds": 0.0}, {"networks": ("gan",)}):
        with pytest.raises(VidfitError):
            ForecastOptions(**change).check()


def test_moving_mnist_file_is_read_and_others_are_not(tmp_path):
    path = tmp_path / "mnist_test_seq.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (6, 4, 16, 16), np.uint8))
    report = run_forecast(path, tmp_path / "out", ForecastOptions(seen=3, ahead=2, steps=2))
    assert (report.clips, report.side_pixels) == (4, 16)
    assert any("a digit may move in several" in note for note in report.notes)
    with pytest.raises(VidfitError, match="leave it away"):
        run_forecast(path, tmp_path / "out2", QUICK.__class__(side_pixels=32))
    np.save(path, np.zeros((6, 4), np.float32))
    with pytest.raises(ManifestError, match="uint8"):
        run_forecast(path, tmp_path / "out3", ForecastOptions())
    path.write_bytes(b"no array")
    with pytest.raises(ManifestError, match="cannot be read"):
        run_forecast(path, tmp_path / "out4", ForecastOptions())


def test_kth_and_bair_are_known_by_their_names():
    clips = [
        Clip("/k/walking/person03_walking_d2_uncomp.avi", label="walking"),
        Clip("/k/walking/person21_walking_d2_uncomp.avi", label="walking"),
        Clip("/b/test/traj_0_to_255/3"),
        Clip("/x/person.mp4", group="g"),
    ]
    found = known_layouts(clips)
    assert [(c.recording, c.split) for c in found] == [
        ("person03", "train"), ("person21", "test"), ("test/traj_0_to_255/3", "test"), ("g", None),
    ]  # fmt: skip


def test_the_datas_own_test_set_is_put_aside(tmp_path):
    for person in (1, 2, 17, 18):
        folder = tmp_path / "kth" / "walking"
        folder.mkdir(parents=True, exist_ok=True)
        _video(folder / f"person{person:02d}_walking_d1_uncomp.avi", person, codec="mpeg4")
    report = run_forecast(tmp_path / "kth", tmp_path / "out", QUICK)
    assert (report.recordings, report.held_out) == (2, 2)
