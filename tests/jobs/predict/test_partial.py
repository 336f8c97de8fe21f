"""What was seen of a long video outlives a kill; what changed is seen again."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from tests.clips import write_clip

from vidfit.errors import StoreError
from vidfit.jobs.predict import run
from vidfit.jobs.predict.partial import SeenWindow, windows_of
from vidfit.jobs.predict.predictor import Looked, load
from vidfit.jobs.predict.run import run_predict, run_predict_all
from vidfit.study.kept import KeptRows

ONE = SeenWindow(0, 3, looked=Looked(np.array([0.1, -2.5], np.float32), 1.7), seen=4, asked=("a",))
TWO = SeenWindow(
    1,
    0,
    looked=Looked(
        np.array([1 / 3], np.float32), 0.0, np.array([7.0], np.float32), (b"\0\1", b"\2\xff")
    ),
)


def same(first: SeenWindow, second: SeenWindow) -> bool:
    a, b = first.looked, second.looked
    return (
        replace(first, looked=None) == replace(second, looked=None)
        and np.array_equal(a.given_K, b.given_K)
        and a.given_K.dtype == b.given_K.dtype
        and a.novelty == b.novelty
        and np.array_equal(a.clues_E, b.clues_E)
        and a.heat == b.heat
    )


def interrupted(folder, *windows):
    with pytest.raises(KeyboardInterrupt), KeptRows(folder, ["facts"]) as kept:
        for window in windows:
            kept.add(window.row())
        raise KeyboardInterrupt


def test_windows_come_back_as_they_were_and_go_with_the_answer(tmp_path):
    interrupted(tmp_path / "out", ONE, TWO)
    with KeptRows(tmp_path / "out", ["facts"]) as kept:
        found = list(windows_of(kept))
        assert all(map(same, found, [ONE, TWO])) and len(found) == 2
        assert list(windows_of(KeptRows(tmp_path / "out", ["others"]))) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    interrupted(tmp_path, ONE, TWO)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    interrupted(tmp_path, TWO)
    assert [w.of for w in windows_of(KeptRows(tmp_path, ["facts"]))] == [0, 1]


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(StoreError, match=r"cannot write .*free space"):
        KeptRows(tmp_path / "out", []).add(ONE.row())


def test_a_killed_answer_goes_on(tmp_path, fitted, monkeypatch):
    monkeypatch.setattr(run, "KEPT_WINDOWS", 3)
    predictor = load(fitted.model)
    path = str(write_clip(tmp_path / "long.mp4", "left", seed=3, frames=120))
    whole = run_predict(predictor, path)
    looks = []

    def look(self, features, real=type(predictor).look):
        looks.append(1)
        if len(looks) == 4:
            raise KeyboardInterrupt
        return real(self, features)

    monkeypatch.setattr(type(predictor), "look", look)
    with pytest.raises(KeyboardInterrupt):
        run_predict_all((predictor,), path, kept=tmp_path / "out", workers=1)
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert run_predict_all((predictor,), path, kept=tmp_path / "out", workers=1) == (whole,)
    assert len(looks) == 4 + len(whole.windows) - 3
    assert list((tmp_path / "out").iterdir()) == []


def test_another_video_of_that_name_is_seen_anew(tmp_path, fitted, monkeypatch):
    monkeypatch.setattr(run, "KEPT_WINDOWS", 3)
    predictor = load(fitted.model)
    path = tmp_path / "long.mp4"
    write_clip(path, "left", seed=3, frames=120)
    facts = run._partial(tmp_path, (predictor,), [[run.Clip(str(path))] * 4], str(path))
    shutil.copy(write_clip(tmp_path / "other.mp4", "right", seed=4, frames=119), path)
    other = run._partial(tmp_path, (predictor,), [[run.Clip(str(path))] * 4], str(path))
    assert facts.path != other.path
