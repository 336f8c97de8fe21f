"""Joined parts are the same parts: whoever reads, writes, joins, or is killed meanwhile."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.clips import Counting, spec, write_clip
from tests.features.packed import check, fill, folder_of, joined, keys, names
from tests.features.test_store import features

from vidfit.contracts import Clip
from vidfit.errors import StoreError
from vidfit.features import FeatureStore, joining
from vidfit.features import store as store_module
from vidfit.features.extract import extract
from vidfit.features.packs import Pack, keys_of
from vidfit.launch import Here


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(joining, "FEW", 8)


def test_many_parts_become_few_files_and_the_same_rows(tmp_path):
    store = fill(tmp_path, 20)
    assert store.compact(spec()) == 20
    assert (len(names(store, "part-*")), len(names(store, "pack-*.tar"))) == (0, 1)
    check(store, keys(20))
    assert store.compact(spec()) == 0


def test_few_parts_are_left_as_they_are(tmp_path):
    store = fill(tmp_path, 7)
    before = sorted(folder_of(store).iterdir())
    assert store.compact(spec()) == 0
    assert sorted(folder_of(store).iterdir()) == before
    assert FeatureStore(tmp_path / "none").compact(spec()) == 0


def test_a_writer_joins_its_own_parts_and_leaves_those_of_others(tmp_path):
    others = fill(tmp_path, 5, "other")
    store = FeatureStore(tmp_path)
    for i in range(19):
        store.write(spec(), {f"own{i}-0": features(10 * i, tokens=1)})
    assert len(names(store, "pack-*.tar")) == 2
    assert len(names(store, "part-*")) == 5 + 3
    check(others, keys(5, "other") | {f"own{i}-0" for i in range(19)})


def test_packs_are_full_but_not_fuller(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "MOST_PARTS", 10)
    store = fill(tmp_path, 34)
    store.compact(spec())
    counts = [len(Pack.open(path).parts) for path in names(store, "pack-*.tar")]
    assert sorted(counts) == [4, 10, 10, 10]
    check(store, keys(34))


def test_a_writer_of_large_parts_makes_packs_that_are_no_larger(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "MOST_BYTES", 5000)
    store = FeatureStore(tmp_path)
    for i in range(8):
        store.write(spec(), {f"clip{i}-0": features(10 * i, tokens=1)})
    paths = names(store, "pack-*.tar")
    parts = [len(Pack.open(path).parts) for path in paths]
    assert sum(parts) + len(names(store, "part-*")) == 8 and 2 <= max(parts) <= 5
    check(store, {f"clip{i}-0" for i in range(8)})


def test_small_packs_are_joined_and_large_ones_left(tmp_path):
    store = fill(tmp_path, 9, "first")
    store.compact(spec())
    (large,) = names(store, "pack-*.tar")
    for i in range(8):
        fill(tmp_path, 2, f"more{'x' * i}")
        joining.join(folder_of(store), names(store, "part-*"))
    assert len(names(store, "pack-*.tar")) == 9
    store.compact(spec())
    assert large.exists() and len(names(store, "pack-*.tar")) == 2
    wanted = set.union(keys(9, "first"), *(keys(2, f"more{'x' * i}") for i in range(8)))
    check(store, wanted)


# ---------------------------------------------------------------- others at work


def test_a_reader_misses_nothing_that_is_joined_under_it(tmp_path):
    store = fill(tmp_path, 20)
    reading = store.rows(spec())
    found = [next(reading)[0] for _ in range(3)]
    assert FeatureStore(tmp_path).compact(spec()) == 20
    found += [key for key, _ in reading]
    assert sorted(found) == sorted(keys(20))


def test_a_reader_of_a_pack_misses_nothing_when_it_is_joined_with_others(tmp_path):
    store = fill(tmp_path, 4)
    joining.join(folder_of(store), names(store, "part-*"))
    reading = store.rows(spec())
    found = [next(reading)[0] for _ in range(3)]
    fill(tmp_path, 20, "more")
    assert store.compact(spec()) == 21
    found += [key for key, _ in reading]
    assert sorted(found) == sorted(keys(4) | keys(20, "more"))


def _write_and_compact(root: str, writer: int, barrier: object) -> None:
    joining.FEW = 8
    store = FeatureStore(Path(root))
    barrier.wait()  # type: ignore[attr-defined]
    for i in range(24):
        store.write(spec(), {f"{'abc'[writer]}{i}-0": features(10 * i, tokens=1)})
        if i % 8 == 7:
            store.compact(spec())


def test_writers_and_joiners_in_several_processes_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    writers = [
        context.Process(target=_write_and_compact, args=(str(tmp_path), w, barrier))
        for w in range(3)
    ]
    for writer in writers:
        writer.start()
    store, wanted = FeatureStore(tmp_path), {f"{w}{i}-0" for w in "abc" for i in range(24)}
    seen: set[str] = set()
    while any(writer.is_alive() for writer in writers):
        now = store.known(spec())
        assert seen <= now  # what was there once is always there
        seen = now
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    check(store, wanted)


def test_two_that_join_the_same_parts_without_locks_lose_nothing(tmp_path):
    store = fill(tmp_path, 12)
    parts = names(store, "part-*")
    errors = []

    def run() -> None:
        try:
            joining.join(folder_of(store), parts)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check(store, keys(12))


def test_nothing_is_joined_while_another_does(tmp_path):
    store = fill(tmp_path, 12)
    with joining.alone(folder_of(store)) as free:
        assert free
        assert store.compact(spec()) == 0
    assert store.compact(spec()) == 12


def test_a_writer_leaves_its_parts_for_later_while_another_joins_or_forgets(tmp_path):
    store = FeatureStore(tmp_path)
    store.write(spec(), {"clip0-0": features(0, tokens=1)})
    with joining.alone(folder_of(store)):
        for i in range(1, 10):
            store.write(spec(), {f"clip{i}-0": features(10 * i, tokens=1)})
        assert names(store, "pack-*") == [] and len(names(store, "part-*")) == 10
    store.write(spec(), {"clip10-0": features(100, tokens=1)})
    assert len(names(store, "pack-*.tar")) == 1 and names(store, "part-*") == []
    check(store, {f"clip{i}-0" for i in range(11)})


def test_a_writer_that_joins_brings_back_nothing_that_is_forgotten_meanwhile(tmp_path, monkeypatch):
    store, real = FeatureStore(tmp_path), joining.write_pack
    forgetting = threading.Thread(target=FeatureStore(tmp_path).keep, args=({"clip1-0"},))

    def slowly(path, contents):
        monkeypatch.setattr(joining, "write_pack", real)
        read = list(contents)
        forgetting.start()
        forgetting.join(0.5)
        real(path, read)

    monkeypatch.setattr(joining, "write_pack", slowly)
    for i in range(8):
        store.write(spec(), {f"clip{i}-0": features(10 * i, tokens=1)})
    forgetting.join(30)
    assert not forgetting.is_alive()
    check(store, {"clip1-0"})


def test_a_part_that_goes_while_it_is_forgotten_is_no_error(tmp_path, monkeypatch):
    store, real = fill(tmp_path, 1), store_module._read_whole

    def vanish(path):
        table = real(path)
        path.unlink()
        return table

    monkeypatch.setattr(store_module, "_read_whole", vanish)
    assert store.keep(set()) == 2


# ---------------------------------------------------------------- kills

KILLED = """
import os, signal, sys
from pathlib import Path
from vidfit.features import joining
from vidfit import files

joining.FEW = 8
at, count = int(sys.argv[2]), 0

def step(real):
    def run(*args, **kwargs):
        global count
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        return real(*args, **kwargs)
    return run

os.fsync = step(os.fsync)
Path.replace = step(Path.replace)
Path.unlink = step(Path.unlink)
print(joining.compact(Path(sys.argv[1])))
"""


@pytest.mark.slow
def test_a_kill_before_any_step_loses_nothing_and_doubles_nothing(tmp_path):
    """Steps are what reaches the disk: flush, rename, remove."""
    ended = False
    for at in range(60):
        root = tmp_path / str(at)
        store = fill(root, 9)
        wanted = keys(9)
        for i in range(2):
            fill(root, 2, f"more{'x' * i}")
            loose = [p for p in names(store, "part-*") if _holds(p, f"more{'x' * i}")]
            joining.join(folder_of(store), loose)
            wanted |= keys(2, f"more{'x' * i}")
        command = [sys.executable, "-c", KILLED, str(folder_of(store)), str(at)]
        code = subprocess.run(command, capture_output=True, check=False).returncode
        check(store, wanted)
        if code == 0:
            ended = True
            break
        assert code == -signal.SIGKILL
        fill(root, 8, "later")
        FeatureStore(root).compact(spec())
        check(store, wanted | keys(8, "later"))
        assert len(names(store, "part-*")) < 8
    assert ended and at > 9


def _holds(path: Path, of: str) -> bool:
    return any(key.rstrip("0123456789-") == of for key in keys_of(path.read_bytes()))


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing(tmp_path):
    store = fill(tmp_path, 100)
    command = [sys.executable, "-c", KILLED, str(folder_of(store)), "-1"]
    for wait in (0.02, 0.1, 0.2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < until:
            if any(folder_of(store).glob(".tmp-pack-*")):
                break
        time.sleep(wait)
        process.kill()
        process.communicate()
        check(store, keys(100))
    store.compact(spec())
    check(store, keys(100))


# ---------------------------------------------------------------- full disks, forgotten people


def test_a_full_disk_leaves_parts_as_they_are(tmp_path, monkeypatch):
    store = fill(tmp_path, 12)
    real = os.fsync
    for at in range(2):  # of the pack, of its index
        left = [at]

        def fsync(handle, left=left):
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(StoreError, match="No space left on device"):
            store.compact(spec())
        monkeypatch.undo()
        monkeypatch.setattr(joining, "FEW", 8)
        assert len(names(store, "part-*")) == 12
        assert names(store, "pack-*") == [] and names(store, ".tmp-*") == []
    assert store.compact(spec()) == 12
    check(store, keys(12))


def test_an_extraction_ends_well_where_parts_cannot_be_joined(tmp_path, monkeypatch):
    clips = [Clip(str(write_clip(tmp_path / "a.mp4")))]

    def full(folder):
        raise StoreError("full")

    monkeypatch.setattr(joining, "compact", full)
    done = extract(clips, [Counting()], FeatureStore(tmp_path / "store"), Here(1))
    assert done.computed == 1


def test_forgotten_rows_are_gone_from_packs(tmp_path):
    store, path = joined(tmp_path)
    left = {key for key in keys(10) if key not in ("clip3-1", "clip5-0", "clip5-1")}
    assert store.keep(left) == 3
    assert not path.exists()
    check(store, left)
    assert store.keep(left) == 0
    assert store.keep(set()) == 17
    assert names(store, "pa*") == []


def test_what_was_damaged_in_a_pack_is_forgotten_too(tmp_path):
    store, path = joined(tmp_path)
    part = Pack.open(path).parts[0]
    content = bytearray(path.read_bytes())
    content[part.offset + part.size - 20] ^= 1
    path.write_bytes(bytes(content))
    damaged = bytes(content[part.offset : part.offset + part.size])
    left = {key for key, _ in store.rows(spec())}
    assert store.keep(keys(10)) == 0
    (path,) = names(store, "pack-*.tar")
    assert damaged not in path.read_bytes()
    check(store, left)
