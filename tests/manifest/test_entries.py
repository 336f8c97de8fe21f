"""What vidfit wrote is told from folders of clips."""

from __future__ import annotations

import pytest
from tests.manifest.made import write

from vidfit.answers import Segment, Timeline
from vidfit.jobs.predict.timeline import write_timeline
from vidfit.manifest.entries import is_own


@pytest.mark.parametrize(
    "name", ["report.json", "model.json", "to-label.csv", "shards.json", "answers.parquet"]
)
def test_folders_with_files_of_vidfit(tmp_path, name):
    write(tmp_path, f"out/{name}")
    assert is_own(tmp_path / "out")


def test_a_real_run_is_told_with_all_its_parts(fitted):
    assert is_own(fitted.output) and is_own(fitted.model) and is_own(fitted.output / "features")
    assert not is_own(fitted.clips) and not is_own(fitted.clips / "left")


def test_answers_beside_annotated_videos(tmp_path):
    whole = Segment(0.0, 1.0, "walk", 0.9)
    timeline = Timeline("a.mp4", 1.0, ("walk",), (whole,), (whole,), 1, 25, "1x1")
    write(tmp_path, "out/a.mp4", "notes/a.mp4", "notes/a.json")
    write_timeline(timeline, tmp_path / "out" / "a.json")
    assert is_own(tmp_path / "out") and not is_own(tmp_path / "notes")
