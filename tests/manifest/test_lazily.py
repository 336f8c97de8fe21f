"""Videos of folders, tables and lists come one after the other."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, StoreError
from vidfit.manifest import is_list, iter_clips, shards


def named(folder, clips):
    return [clip.path.removeprefix(f"{folder}/") for clip in clips if isinstance(clip, Clip)]


def test_a_folder_is_searched_in_natural_order(tmp_path):
    for name in ("b/2.mp4", "b/10.mp4", "a/1.avi", "a/notes.txt", "3.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = named(tmp_path, iter_clips(tmp_path))
    assert found == ["3.mp4", "a/1.avi", "b/2.mp4", "b/10.mp4"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("v.csv", "label,File\nx,a.mp4\ny,s3://b/c.mp4\nz,\n", ["a.mp4", "s3://b/c.mp4"]),
        ("v.tsv", "path\tlabel\n/x/a b.mp4\t1\n", ["/x/a b.mp4"]),
        (
            "v.txt",
            "# mine\na.mp4 0\n\nsub dir/b.mp4 1\nc.mp4\n",
            ["a.mp4", "sub dir/b.mp4", "c.mp4"],
        ),
        ("v.csv", "a.mp4 0\nb.mp4 1\n", ["a.mp4", "b.mp4"]),
    ],
)
def test_tables_and_lists(tmp_path, name, text, found):
    (tmp_path / name).write_text(text)
    assert is_list(tmp_path / name)
    assert named(tmp_path, iter_clips(tmp_path / name)) == found


def test_parquet_is_read_in_batches(tmp_path):
    names = [f"{i}.mp4" for i in range(5000)]
    pq.write_table(
        pa.table({"video": names, "label": names}), tmp_path / "v.parquet", row_group_size=100
    )
    videos = iter_clips(tmp_path / "v.parquet")
    assert next(videos).path == str(tmp_path / "0.mp4")
    assert named(tmp_path, videos) == names[1:]


@pytest.mark.parametrize("name", ["v.csv", "v.parquet"])
def test_a_table_that_names_no_videos_is_refused(tmp_path, name):
    if name == "v.csv":
        (tmp_path / name).write_text("label,when\nx,1\n")
    else:
        pq.write_table(pa.table({"label": ["x"]}), tmp_path / name)
    with pytest.raises(ManifestError, match="none names the videos"):
        list(iter_clips(tmp_path / name))


def test_damage_is_told(tmp_path):
    (tmp_path / "v.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ManifestError, match="cannot be read as a table: it is no sound Parquet"):
        list(iter_clips(tmp_path / "v.parquet"))


def test_a_lack_of_memory_is_no_unsound_table(tmp_path, monkeypatch):
    pq.write_table(pa.table({"video": ["a.mp4"]}), tmp_path / "v.parquet")

    def refuse(*args, **kwargs):
        raise pa.ArrowMemoryError("malloc failed")

    monkeypatch.setattr(pq, "ParquetFile", refuse)
    with pytest.raises(StoreError, match="memory is too short"):
        list(iter_clips(tmp_path / "v.parquet"))
    (tmp_path / "v.txt").write_bytes(b"a.mp4\n\xff\xfe\n")
    with pytest.raises(ManifestError, match="not UTF-8"):
        list(iter_clips(tmp_path / "v.txt"))


def test_a_lack_of_memory_is_no_damaged_index_of_shards(tmp_path, monkeypatch):
    (tmp_path / "index.parquet").write_bytes(b"")

    def refuse(*args, **kwargs):
        raise pa.ArrowMemoryError("malloc failed")

    monkeypatch.setattr(shards, "read_parquet", refuse)
    with pytest.raises(StoreError, match="memory is too short"):
        shards.read_index(str(tmp_path), ["shard"])


@pytest.mark.parametrize("name", ["v.csv", "v.txt", "v.parquet"])
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path, name):
    assert _peak_bytes(tmp_path / name, 40_000) < 6e6  # the clips alone would take twice that


def _peak_bytes(path, rows):
    names = [f"{i}.mp4" for i in range(rows)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"path": names}), path, row_group_size=1000)
    else:
        header = "path,label\n" if path.suffix == ".csv" else ""
        path.write_text(header + "".join(f"{name}{',' if header else ' '}x\n" for name in names))
    # In a process of its own: a used one may enlarge its table of interned texts just then.
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    count, peak_bytes = run.stdout.split()
    assert int(count) == rows
    return int(peak_bytes)


PEAK = """
import sys, tracemalloc
from pathlib import Path
from vidfit.manifest import iter_clips
path = Path(sys.argv[1])
next(iter_clips(path))
tracemalloc.start()
print(sum(1 for _ in iter_clips(path)), tracemalloc.get_traced_memory()[1])
"""
