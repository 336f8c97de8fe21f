"""A file is there as a whole or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import vidfit
from vidfit.errors import StoreError
from vidfit.files import claimed, read_parquet, temporary_in, write_whole


def test_a_file_is_replaced_and_its_folder_made(tmp_path):
    path = tmp_path / "new" / "file.bin"
    assert write_whole(path, b"one") == path and path.read_bytes() == b"one"
    write_whole(path, b"two")
    assert [(p.name, p.read_bytes()) for p in path.parent.iterdir()] == [("file.bin", b"two")]


def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_whole(tmp_path / "file.bin", b"old")

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file.bin"] and path.read_bytes() == b"old"


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "folder").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot write"):
        write_whole(tmp_path / "folder" / "file.bin", b"x")


def test_what_a_killed_process_was_writing_goes_when_the_folder_is_claimed_again(tmp_path):
    (tmp_path / ".tmp-report.json-0123").write_text("half")
    left = temporary_in(tmp_path)
    left.mkdir()
    (left / "half.png").write_text("half")
    (tmp_path / "report.json").write_text("whole")
    with claimed(tmp_path):
        assert [p.name for p in tmp_path.iterdir() if p.name != ".vidfit-lock"] == ["report.json"]


def test_a_table_is_read_without_threads_that_end_later(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), path)
    assert read_parquet(path).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert read_parquet(path, ["b"]).column_names == ["b"]
    with pytest.raises(ValueError, match="no column c"):
        read_parquet(path, ["b", "c"])
    code = f"from vidfit.files import read_parquet; read_parquet({str(path)!r}); import sys; "
    code += "sys.exit('pyarrow.dataset' in sys.modules)"  # whose scans outlive a call
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    sources = Path(vidfit.__file__).parent.rglob("*.py")
    assert not [p for p in sources if re.search(r"pq\.read_table\(", p.read_text())]
