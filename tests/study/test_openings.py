"""A hold-out that is opened again is said to be, whatever the output folder."""

from __future__ import annotations

import json
import shutil

import pytest
from tests.clips import write_clip

from vidfit.contracts import Clip
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.study.openings import open_holdout


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "vidfit" / "holdouts"


@pytest.fixture
def clips(tmp_path) -> list[Clip]:
    return [Clip(str(write_clip(tmp_path / f"{i}.mp4", seed=i)), label="a") for i in range(2)]


def test_a_first_opening_is_nothing_to_tell(clips, tmp_path, own_state):
    notes: list[str] = []
    assert open_holdout(clips, tmp_path / "out", notes) == 1 and notes == []
    (here,), (there,) = (tmp_path / "out" / "holdouts").iterdir(), own_state.iterdir()
    assert here.name == there.name and here.read_bytes() == there.read_bytes()
    found = json.loads(here.read_text())
    assert found["clips"] == 2 and len(found["openings"]) == 1


def test_another_output_name_order_or_label_is_the_same_hold_out(clips, tmp_path):
    open_holdout(clips, tmp_path / "out", [])
    moved = [
        Clip(str(shutil.copy(one.path, tmp_path / f"moved{i}.mp4")), label="b")
        for i, one in enumerate(clips)
    ]
    notes: list[str] = []
    assert open_holdout(moved[::-1], tmp_path / "other", notes) == 2
    assert "These 2 test clips were opened 2 times" in notes[0] and "too high" in notes[0]


def test_other_clips_or_other_spans_are_another_hold_out(clips, tmp_path):
    open_holdout(clips, tmp_path / "out", [])
    assert open_holdout(clips[:1], tmp_path / "out", []) == 1
    span = [Clip(one.path, 0.0, 0.5) for one in clips]
    assert open_holdout(span, tmp_path / "out", []) == 1


def test_an_output_that_moved_to_another_machine_counts(clips, tmp_path, own_state):
    open_holdout(clips, tmp_path / "out", [])
    shutil.rmtree(own_state)
    assert open_holdout(clips, tmp_path / "out", []) == 2
    shutil.rmtree(tmp_path / "out")
    assert open_holdout(clips, tmp_path / "out", []) == 3


def test_a_state_that_cannot_be_written_is_said(clips, tmp_path, own_state):
    own_state.parent.mkdir(parents=True)
    own_state.write_text("a file")
    notes: list[str] = []
    assert open_holdout(clips, tmp_path / "out", notes) == 1
    assert "cannot be written" in notes[0] and str(own_state) in notes[0]
    assert open_holdout(clips, tmp_path / "out", []) == 2


def test_a_damaged_record_counts_for_nothing(clips, tmp_path, own_state):
    open_holdout(clips, tmp_path / "out", [])
    for path in (*own_state.iterdir(), *(tmp_path / "out" / "holdouts").iterdir()):
        path.write_text('{"openings": [')
    assert open_holdout(clips, tmp_path / "out", []) == 1


def test_clips_that_are_gone_are_known_by_their_path(clips, tmp_path):
    gone = [*clips, Clip(str(tmp_path / "gone.mp4"))]
    assert open_holdout(gone, tmp_path / "out", []) == 1
    assert open_holdout(gone, tmp_path / "out", []) == 2


def test_fit_says_how_often_the_hold_out_was_opened(fitted, tmp_path):
    from vidfit.jobs.fit.terminal import report_markdown

    options = FitOptions(backbones=("motion",), holdout=0.34)
    first = run_fit(fitted.clips, fitted.warm(tmp_path / "out"), options)
    assert "opened once, after every choice" in first.protocol
    second = run_fit(fitted.clips, fitted.warm(tmp_path / "another"), options)
    assert "opened 2 times, after every choice" in second.protocol
    assert second.score == first.score
    written = json.loads((tmp_path / "another" / "report.json").read_text())
    assert "opened 2 times" in written["protocol"]
    page = (tmp_path / "another" / "report.html").read_text()
    assert "test clips were opened 2 times" in page and "opened 2 times, after" in page
    assert "opened 2 times" in report_markdown(second)
    plain = run_fit(fitted.clips, tmp_path / "out", FitOptions(backbones=("motion",)))
    assert not any("opened" in warning for warning in plain.warnings)
