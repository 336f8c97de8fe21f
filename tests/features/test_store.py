"""The store gives back what was written, whoever else writes and whatever breaks."""

from __future__ import annotations

import dataclasses
import errno
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.clips import spec, write_clip

from vidfit.contracts import Clip, ClipFeatures, Preprocessing, Sampling
from vidfit.errors import StoreError, VideoError
from vidfit.features import store as store_module
from vidfit.features.digests import clip_digest, file_digest, spec_key
from vidfit.features.store import FeatureStore


def features(seed: int = 0, tokens: int = 5, dim: int = 3) -> ClipFeatures:
    rng = np.random.default_rng(seed)
    return ClipFeatures(
        rng.normal(size=(tokens, dim)).astype(np.float32),
        np.arange(tokens) * 3,
        np.arange(tokens) / 7.0,
        0.25,
    )


def parts(store: FeatureStore) -> list[Path]:
    return sorted((store.root / spec_key(spec())).glob("part-*.parquet"))


def leftovers(store: FeatureStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.name.startswith(".tmp-")]


def test_round_trip(tmp_path):
    store = FeatureStore(tmp_path)
    written = {f"clip{i}": features(i, tokens=1 + i, dim=1 + i) for i in range(4)}
    store.write(spec(), written)
    store.write(spec(), {"later": features(9)})
    assert store.known(spec()) == {*written, "later"}
    read = dict(store.rows(spec()))
    assert read.keys() == {*written, "later"}
    for name, expected in written.items():
        for field in dataclasses.fields(ClipFeatures):
            np.testing.assert_array_equal(
                getattr(read[name], field.name), getattr(expected, field.name)
            )
    assert leftovers(store) == []


def test_an_empty_store_knows_nothing_and_makes_no_folder(tmp_path):
    store = FeatureStore(tmp_path / "features")
    assert store.known(spec()) == set()
    assert list(store.rows(spec())) == []
    store.write(spec(), {})
    assert not store.root.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"revision": "2"},
        {"family": "other"},
        {"sampling": Sampling(1, 5)},
        {"preprocessing": Preprocessing(16, 17)},
        {"preprocessing": Preprocessing(16, 16, mean=(1.0, 0.0, 0.0))},
    ],
)
def test_other_weights_sampling_or_preprocessing_are_other_features(tmp_path, change):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"clip": features()})
    assert store.known(spec(**change)) == set()


@pytest.mark.parametrize("change", [{"name": "renamed"}, {"licence": "other"}, {"source": "x"}])
def test_facts_that_change_no_feature_keep_them(tmp_path, change):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"clip": features()})
    assert store.known(spec(family="mean", **change)) == {"clip"}


def test_a_moved_or_relabelled_clip_is_the_same(tmp_path):
    first = write_clip(tmp_path / "a.mp4")
    moved = shutil.copy(first, tmp_path / "b.mp4")
    digest = clip_digest(Clip(str(first), label="left", group="one"))
    assert clip_digest(Clip(str(moved), label="right", split="test")) == digest


def test_changed_bytes_or_span_are_another_clip(tmp_path):
    path = write_clip(tmp_path / "a.mp4")
    whole = clip_digest(Clip(str(path)))
    assert clip_digest(Clip(str(path), 0.5)) != whole
    assert clip_digest(Clip(str(path), 0.0, 1.0)) != whole
    path.write_bytes(path.read_bytes() + b"\0")
    assert clip_digest(Clip(str(path))) != whole


def test_frames_of_a_folder_count_in_the_order_in_which_they_are_shown(tmp_path):
    def folder(name: str, contents: dict[str, bytes]) -> str:
        (tmp_path / name).mkdir()
        for file, content in contents.items():
            (tmp_path / name / file).write_bytes(content)
        return file_digest(str(tmp_path / name))

    shown = folder("a", {"f1.png": b"A", "f2.png": b"B", "f10.png": b"C"})
    assert folder("b", {"f01.png": b"A", "f02.png": b"B", "f10.png": b"C"}) == shown
    assert folder("c", {"f1.png": b"A", "f2.png": b"C", "f10.png": b"B"}) != shown
    assert folder("d", {"f1.png": b"A", "f2.png": b"B", "f10.png": b"C", "a.txt": b"x"}) == shown


def test_a_file_that_is_gone_is_a_video_error(tmp_path):
    with pytest.raises(VideoError, match="No such file"):
        clip_digest(Clip(str(tmp_path / "gone.mp4")))


# ---------------------------------------------------------------- others at work


def _write_many(root: str, writer: int, barrier: object) -> None:
    store = FeatureStore(Path(root))
    barrier.wait()  # type: ignore[attr-defined]
    for i in range(15):
        store.write(spec(), {f"{writer}-{i}": features(i), f"shared-{i}": features(i)})


def test_concurrent_writers_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    writers = [
        context.Process(target=_write_many, args=(str(tmp_path), w, barrier)) for w in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    store = FeatureStore(tmp_path)
    expected = {f"{w}-{i}" for w in range(3) for i in range(15)} | {
        f"shared-{i}" for i in range(15)
    }
    assert store.known(spec()) == expected
    read = dict(store.rows(spec()))
    np.testing.assert_array_equal(read["2-14"].tokens_ND, features(14).tokens_ND)
    assert leftovers(store) == []


def test_a_part_that_another_process_set_aside_is_passed_over(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})
    read = store_module.read_parquet

    def vanish(path, columns):
        Path(path).unlink()
        return read(path, columns)

    monkeypatch.setattr(store_module, "read_parquet", vanish)
    assert store.known(spec()) == set()


def test_a_part_with_other_columns_is_set_aside(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})
    (path,) = parts(store)
    pq.write_table(pa.table({"other": [1]}), path)
    assert store.known(spec()) == set()
    assert path.with_suffix(".broken").exists()


# ---------------------------------------------------------------- damage


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _flip_footer(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [_truncate, _empty, _flip_footer])
def test_a_damaged_part_is_set_aside_and_can_be_written_again(tmp_path, damage):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features(1)})
    store.write(spec(), {"b": features(2)})
    broken = next(p for p in parts(store) if pq.read_table(p)["clip"].to_pylist() == ["a"])
    damage(broken)
    assert store.known(spec()) == {"b"}
    assert broken.with_suffix(".broken").exists() and not broken.exists()
    store.write(spec(), {"a": features(1)})
    assert dict(store.rows(spec())).keys() == {"a", "b"}


def test_every_flipped_bit_is_noticed(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features(3, tokens=40)})
    (path,) = parts(store)
    sound = path.read_bytes()
    random = np.random.default_rng(0)
    noticed = 0
    for place in random.choice(len(sound), 60, replace=False):
        data = bytearray(sound)
        data[place] ^= 1 << int(random.integers(8))
        path.write_bytes(bytes(data))
        assert store.known(spec()) <= {"a"}  # it reads less, and may notice less
        path.with_suffix(".broken").unlink(missing_ok=True)
        path.write_bytes(bytes(data))
        noticed += not dict(store.rows(spec()))
    assert noticed == 60


def test_a_system_that_refuses_to_read_is_no_damage(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})

    def refuse(path, columns):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(store_module, "read_parquet", refuse)
    with pytest.raises(StoreError, match="Too many open files"):
        store.known(spec())
    monkeypatch.undo()
    assert store.known(spec()) == {"a"}


MEMORY = [pa.ArrowMemoryError("malloc of size 64 failed"), MemoryError()]


@pytest.mark.parametrize("short", MEMORY, ids=["Arrow", "Python"])
@pytest.mark.parametrize("look", ["known", "held", "rows", "keep"])
def test_a_lack_of_memory_is_no_damage(tmp_path, monkeypatch, look, short):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})

    def refuse(*args):
        raise short

    monkeypatch.setattr(store_module, "read_parquet", refuse)
    with pytest.raises(StoreError, match="memory is too short"):
        list(getattr(store, look)({"a"} if look == "keep" else spec()))
    monkeypatch.undo()
    assert dict(store.rows(spec())).keys() == {"a"}


ADDRESS_SPACE = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from tests.clips import spec
from vidfit.errors import StoreError
from vidfit.features import FeatureStore
pa.set_memory_pool(pa.system_memory_pool())
store = FeatureStore(Path(sys.argv[1]))
assert len(dict(store.rows(spec()))) == 16
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (2 << 20), resource.RLIM_INFINITY))
try:
    dict(store.rows(spec()))
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of address space, and /proc")
def test_a_limit_of_memory_costs_no_row(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(spec(), {f"clip{i}": features(i, tokens=40, dim=700) for i in range(16)})
    command = [sys.executable, "-c", ADDRESS_SPACE, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "memory is too short" in ended.stdout
    assert len(dict(store.rows(spec()))) == 16


def test_a_part_that_is_whole_is_not_set_aside_for_what_arrow_says_of_the_system(
    tmp_path, monkeypatch
):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})

    def refuse(path, columns):
        raise OSError("Couldn't deserialize thrift: std::bad_alloc")

    monkeypatch.setattr(store_module, "read_parquet", refuse)
    with pytest.raises(StoreError, match="bad_alloc; nothing was changed"):
        store.known(spec())
    monkeypatch.undo()
    assert store.known(spec()) == {"a"}


# ---------------------------------------------------------------- folders that cannot be written


def test_a_store_that_is_read_only_gives_what_is_whole(tmp_path, forbid, monkeypatch):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features(1)})
    store.write(spec(), {"b": features(2)})
    broken = next(p for p in parts(store) if pq.read_table(p)["clip"].to_pylist() == ["a"])
    _truncate(broken)
    old = broken.parent / ".tmp-old"
    old.write_bytes(b"half a part")
    os.utime(old, (0, 0))
    forbid()
    for _ in range(2):
        assert store.known(spec()) == {"b"}
        assert "b" in store.held(spec()) and "a" not in store.held(spec())
        assert dict(store.rows(spec())).keys() == {"b"}
    for refused in (lambda: store.keep({"b"}), lambda: store.write(spec(), {"c": features()})):
        with pytest.raises(StoreError, match="Read-only file system"):
            refused()
    monkeypatch.undo()
    assert old.exists() and broken.exists()
    assert store.known(spec()) == {"b"}
    assert broken.with_suffix(".broken").exists() and not old.exists()


@pytest.mark.parametrize("damage", [False, True])
def test_what_cannot_be_removed_is_not_said_to_be_gone(tmp_path, monkeypatch, damage):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})
    if damage:
        _truncate(*parts(store))

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match="cannot be removed: Permission denied"):
        store.keep(set())


# ---------------------------------------------------------------- full disks, killed writers


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})

    def fill(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(StoreError, match=r"No space left on device.*free space"):
        store.write(spec(), {"b": features()})
    monkeypatch.undo()
    assert store.known(spec()) == {"a"}
    assert leftovers(store) == []


def test_a_disk_that_is_full_from_the_start(tmp_path, monkeypatch):
    def fill(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(StoreError, match="No space left on device"):
        FeatureStore(tmp_path).write(spec(), {"a": features()})


def test_only_old_temporaries_are_swept(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"a": features()})
    folder = parts(store)[0].parent
    old, fresh = folder / ".tmp-old", folder / ".tmp-fresh"
    for path in (old, fresh):
        path.write_bytes(b"half a part")
    yesterday = time.time() - 2 * 24 * 3600
    os.utime(old, (yesterday, yesterday))
    assert store.known(spec()) == {"a"}
    assert not old.exists() and fresh.exists()
