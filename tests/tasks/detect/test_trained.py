"""A detector's head that was trained and kept: its model runs on its own."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vidfit.backbones.package_weights import is_fetched
from vidfit.errors import VidfitError
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.fit.trainees import Trainees
from vidfit.jobs.predict.objects.finder import open_finder
from vidfit.selection import Gain
from vidfit.tasks.detect import head_training

SIDE = 160


def write_photos(folder, count=12):
    """Write photos with a red square each, two a recording, and the table of boxes."""
    rng, rows, groups = np.random.default_rng(0), ["path,label,x,y,w,h"], ["path,group"]
    for i in range(count):
        picture = rng.integers(90, 110, (SIDE, SIDE, 3)).astype(np.uint8)
        left, top = rng.integers(10, 110, 2)
        picture[top : top + 30, left : left + 30] = (40, 40, 230)
        cv2.imwrite(str(folder / f"{i}.png"), picture)
        rows.append(f"{i}.png,square,{left},{top},30,30")
        groups.append(f"{i}.png,r{i // 2}")
    (folder / "boxes.csv").write_text("\n".join(rows))
    (folder / "groups.csv").write_text("\n".join(groups))
    return FitOptions(task="detect", groups=folder / "groups.csv", train=True)


@pytest.mark.skipif(not is_fetched("nanodet"), reason="needs `vidfit models --fetch nanodet`")
def test_a_kept_head_is_the_detector_of_the_model(tmp_path, monkeypatch):
    options = write_photos(tmp_path)
    monkeypatch.setattr(head_training, "STEPS", 3)
    gain = Trainees._gain
    monkeypatch.setattr(Trainees, "_gain", lambda *of: Gain(gain(*of).points, proven=True))
    report = run_fit(tmp_path / "boxes.csv", tmp_path / "out", options)
    assert report.chosen == "nanodet, head trained" and "Training kept" in report.verdict
    assert "Taken as it is" in report.verdict
    document = json.loads((tmp_path / "out" / "model" / "model.json").read_text())
    assert document["members"] == ["nanodet, head trained"]
    finder = open_finder(str(tmp_path / "out" / "model"))
    assert finder.classes == ("square",)
    picture = np.full((416, 416, 3), 100, np.uint8)
    found = finder.find([picture], SIDE, SIDE)
    assert found.edges_M4.shape[1] == 4 and found.edges_M4.max(initial=0) <= SIDE


def test_other_tasks_refuse_to_train_as_before(tmp_path):
    (tmp_path / "a.csv").write_text("path,label\na.mp4,1.5\nb.mp4,2.5\n")
    options = FitOptions(task="regress", train=True)
    with pytest.raises(VidfitError, match="--train is for"):
        run_fit(tmp_path / "a.csv", tmp_path / "out", options)
