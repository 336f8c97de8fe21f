"""What was answered stays known: through a kill, a full disk, another model."""

from __future__ import annotations

import json
import os

import pytest

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Failure
from vidfit.errors import StoreError
from vidfit.jobs.watch.journal import FILE, Arrival, Journal

ONE = Arrival("in/one.mp4", 10, 5)
TWO = Arrival("in/two\udc80.mp4", 20, 6)
SEGMENT = Segment(0.0, 1.0, "run", 0.9)
ANSWER = Timeline(
    path=ONE.path, duration_seconds=1.0, classes=("run", "walk"), labels="one",
    windows=(SEGMENT,), segments=(SEGMENT,), frames_seen=3, frame_count=30, sampling="",
    asked={}, failures=(), notes=(),
)  # fmt: skip


def test_answers_and_failures_are_lines_that_another_journal_knows(tmp_path):
    journal = Journal(tmp_path / "out", "m")
    journal.add(ONE, ANSWER)
    journal.add(TWO, Failure(TWO.path, "it is empty"))
    first, second = map(json.loads, (tmp_path / "out" / FILE).read_text().splitlines())
    assert first["answer"]["segments"][0]["label"] == "run"
    assert (second["failure"], "answer" in second) == ("it is empty", False)
    assert Journal(tmp_path / "out", "m").answered == {ONE.path: ONE, TWO.path: TWO}


def test_answers_of_another_model_do_not_count(tmp_path):
    Journal(tmp_path, "m").add(ONE, ANSWER)
    assert Journal(tmp_path, "other").answered == {}


def test_a_line_that_was_cut_off_is_answered_again_and_spoils_no_other(tmp_path):
    journal = Journal(tmp_path, "m")
    journal.add(ONE, ANSWER)
    journal.add(TWO, ANSWER)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-40])
    again = Journal(tmp_path, "m")
    assert again.answered == {ONE.path: ONE}
    again.add(TWO, ANSWER)
    assert Journal(tmp_path, "m").answered == {ONE.path: ONE, TWO.path: TWO}


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    journal = Journal(tmp_path, "m")
    journal.add(ONE, ANSWER)
    whole = (tmp_path / FILE).read_bytes()
    write = os.write

    def fills(handle, text):
        if len(text) < 100:
            raise OSError(28, "No space left on device")
        return write(handle, text[:-50])

    monkeypatch.setattr(os, "write", fills)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        journal.add(TWO, ANSWER)
    assert (tmp_path / FILE).read_bytes() == whole
    assert TWO.path not in journal.answered


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError, match=f"cannot read .*{FILE}: Is a directory"):
        Journal(tmp_path, "m")
