"""A model of masks answers videos: PNG, shares over time, a video with the classes over it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from vidfit import backbones
from vidfit.backbones import saved
from vidfit.contracts import Clip, Failure
from vidfit.errors import VidfitError
from vidfit.files import claimed
from vidfit.jobs.predict.by_task import AskedOfTask, way_of
from vidfit.jobs.predict.masks import written
from vidfit.jobs.predict.masks.run import run_masks
from vidfit.model import Model, note_known, save_model
from vidfit.progress import SILENT
from vidfit.tasks.segment.head import PlaceHead, PlaceProbe
from vidfit.video import probe, write_video

CLASSES = ("dark", "=light")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a model whose classes are told by one number of fine cells, and a video."""
    folder = tmp_path_factory.mktemp("masks")
    encoder = backbones.load("efficientnet-lite0-places")
    numbers = 64 + 112 + 320 + 2
    weight = np.zeros((numbers, 2), np.float32)
    weight[-1] = (-20, 20)  # the column: left is the first class, right the second
    bias = np.array([10, -10], np.float32)
    ones, zeros = np.ones(numbers, np.float32), np.zeros(numbers, np.float32)
    probe_ = PlaceProbe(zeros, ones, weight, bias, np.array([64, 112, 320], np.float32))
    facts = Model(
        CLASSES, (encoder.spec.name,), "places", PlaceHead((probe_,)).state(), 1.0, 0.0, np.inf,
        1.0, 1.0, {}, task="segment",
    )  # fmt: skip
    save_model(facts, folder / "model", lambda i, where: saved.save(encoder, where))
    note_known(folder / "model")
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(6)]
    write_video(folder / "a.mp4", frames, 5.0)
    return folder


def _asked(model, tmp_path, **change):
    videos = [Clip(str(model / "a.mp4")), Failure("b.mp4", "it is not there")]
    facts = {
        "model": str(model / "model"), "videos": videos, "names": ["a", "b"], "output": tmp_path,
        "formats": ("json", "csv", "png", "mp4"), "workers": 1, "progress": SILENT,
        "options": {"every": ("2",)},
    }  # fmt: skip
    return AskedOfTask(**{**facts, **change})


def test_writes_masks_shares_and_a_video(model, tmp_path):
    assert way_of(str(model / "model")).target == "masks.run:run_masks"
    told, failed = run_masks(_asked(model, tmp_path))
    assert failed.failure == "it is not there"
    assert "3 frames, every 2 of 6" in told.lines[0]
    masks = sorted((tmp_path / "a.masks").glob("*.png"))
    assert [path.name for path in masks] == ["000000.png", "000002.png", "000004.png"]
    labels = np.asarray(Image.open(masks[0]))
    assert labels.shape == (48, 64) and (labels[:, :30] == 0).all() and (labels[:, 34:] == 1).all()
    assert (tmp_path / "a.masks" / "names.txt").read_text().splitlines() == list(CLASSES)
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert len(rows) == 3 and abs(float(rows[0]["dark"]) - 0.5) < 0.03
    assert "'=light" in rows[0]
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["looks"] == 3 and data["flicker"] in (None, 0.0)
    assert probe(str(tmp_path / "a.mp4")).frame_count == 3
    assert not list(tmp_path.glob(".*"))


def test_what_is_no_format_or_step_is_refused(model, tmp_path):
    with pytest.raises(VidfitError, match="valid are json, csv, png, mp4"):
        list(run_masks(_asked(model, tmp_path, formats=("vtt",))))
    with pytest.raises(VidfitError, match="--every 0 is no whole number"):
        list(run_masks(_asked(model, tmp_path, options={"every": ("0",)})))


def test_what_a_killed_run_left_is_in_nobodys_way_and_goes(model, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    asked = _asked(model, tmp_path, formats=("png",))
    with monkeypatch.context() as patch:  # as a kill does: nothing is put away
        patch.setattr(written, "_in_place", killed)
        patch.setattr(written.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            list(run_masks(asked))
    assert len(list(tmp_path.glob(".*"))) == 1
    for _ in range(2):  # the second takes the place of the first
        told, _failed = run_masks(asked)
        assert not told.failure
    with claimed(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.masks"]
