"""One table of all answers, whole or not there."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from vidfit.answers import Segment, Timeline
from vidfit.contracts import Failure
from vidfit.jobs.predict.answers_table import AnswersTable


def timeline(path, *labels):
    segments = tuple(Segment(i, i + 1.0, label, 0.5) for i, label in enumerate(labels))
    return Timeline(path, float(len(labels)), ("a", "b"), segments, segments, 1, 9, "1x1x1")


def test_a_row_for_each_segment_and_each_failure(tmp_path):
    with AnswersTable(tmp_path / "out" / "answers.parquet") as table:
        table.add(timeline("x.mp4", "a", "b"))
        table.add(Failure("y.mp4", "is empty"))
        assert not (tmp_path / "out" / "answers.parquet").exists()
    rows = pq.read_table(tmp_path / "out" / "answers.parquet").to_pylist()
    assert [(row["path"], row["label"], row["failure"]) for row in rows] == [
        ("x.mp4", "a", None),
        ("x.mp4", "b", None),
        ("y.mp4", None, "is empty"),
    ]
    assert rows[1]["start_seconds"] == 1.0 and rows[1]["probability"] == 0.5


def test_what_was_declined_says_why_and_carries_all_scores(tmp_path):
    doubted = Segment(0.0, 1.0, None, 0.6, True, "unlike anything seen", (0.4, 0.6))
    with AnswersTable(tmp_path / "answers.parquet") as table:
        table.add(Timeline("x.mp4", 1.0, ("a", "b"), (doubted,), (doubted,), 1, 9, "1x1x1"))
    (row,) = pq.read_table(tmp_path / "answers.parquet").to_pylist()
    assert (row["why"], row["scores"]) == ("unlike anything seen", [0.4, 0.6])


def test_many_answers_are_written_as_they_come(tmp_path):
    with AnswersTable(tmp_path / "answers.parquet") as table:
        for i in range(9000):
            table.add(timeline(f"{i}.mp4", "a"))
    found = pq.ParquetFile(tmp_path / "answers.parquet")
    assert found.metadata.num_rows == 9000 and found.metadata.num_row_groups == 3


def test_an_interrupt_leaves_nothing(tmp_path):
    (tmp_path / "answers.parquet").write_bytes(b"of before")
    with pytest.raises(KeyboardInterrupt), AnswersTable(tmp_path / "answers.parquet") as table:
        table.add(timeline("x.mp4", "a"))
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["answers.parquet"]
    assert (tmp_path / "answers.parquet").read_bytes() == b"of before"
