"""Joined parts are the same parts: whoever reads, writes, joins, or is killed meanwhile."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.clips import Counting, spec, write_clip
from tests.features.test_store import features

from vidfit.contracts import Clip
from vidfit.errors import StoreError
from vidfit.features import FeatureStore, packs
from vidfit.features.digests import spec_key
from vidfit.features.extract import extract, extract_all
from vidfit.features.packs import HeldKeys, Pack, short_key
from vidfit.launch import Here
from vidfit.progress import SILENT


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(packs, "FEW", 8)


def folder_of(store: FeatureStore) -> Path:
    return store.root / spec_key(spec())


def names(store: FeatureStore, pattern: str) -> list[Path]:
    return sorted(folder_of(store).glob(pattern))


def fill(root: Path, parts: int, of: str = "clip") -> FeatureStore:
    """Write parts of two rows, each by a store of its own, so that none is joined."""
    for i in range(parts):
        rows = {f"{of}{i}-{j}": features(10 * i + j, tokens=1 + j) for j in range(2)}
        FeatureStore(root).write(spec(), rows)
    return FeatureStore(root)


def keys(parts: int, of: str = "clip") -> set[str]:
    return {f"{of}{i}-{j}" for i in range(parts) for j in range(2)}


def check(store: FeatureStore, wanted: set[str]) -> None:
    """Every row is there once, as it was written, whoever is asked."""
    rows = list(store.rows(spec()))
    assert sorted(key for key, _ in rows) == sorted(wanted)
    assert store.known(spec()) == wanted
    held = store.held(spec())
    assert all(key in held for key in wanted)
    assert not any(f"other{i}" in held for i in range(100))
    for key, found in rows:
        part, _, row = key.lstrip("abcdefghijklmnopqrstuvwxyz").partition("-")
        expected = features(10 * int(part) + int(row), tokens=1 + int(row))
        for field in dataclasses.fields(expected):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))


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


def test_a_pack_is_a_plain_tar_of_the_parts(tmp_path):
    store = fill(tmp_path, 10)
    before = {path.name: path.read_bytes() for path in names(store, "part-*")}
    store.compact(spec())
    (path,) = names(store, "pack-*.tar")
    with tarfile.open(path) as tar:
        found = {info.name: tar.extractfile(info).read() for info in tar}
        assert found == before
        path.unlink()
        tar.extractall(folder_of(store), filter="data")
    check(store, keys(10))


def test_packs_are_full_but_not_fuller(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "MOST_PARTS", 10)
    store = fill(tmp_path, 34)
    store.compact(spec())
    counts = [len(Pack.open(path).parts) for path in names(store, "pack-*.tar")]
    assert sorted(counts) == [4, 10, 10, 10]
    check(store, keys(34))


def test_a_writer_of_large_parts_makes_packs_that_are_no_larger(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "MOST_BYTES", 5000)
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
        packs.join(folder_of(store), names(store, "part-*"))
    assert len(names(store, "pack-*.tar")) == 9
    store.compact(spec())
    assert large.exists() and len(names(store, "pack-*.tar")) == 2
    wanted = set.union(keys(9, "first"), *(keys(2, f"more{'x' * i}") for i in range(8)))
    check(store, wanted)


def test_bytes_that_tell_of_held_rows_are_few(tmp_path):
    store = FeatureStore(tmp_path)
    for i in range(8):
        store.write(spec(), {f"{i}-{j}": features(0, tokens=1) for j in range(32)})
    (index,) = names(store, "pack-*.index")
    assert index.stat().st_size < 12 * 8 * 32


def test_short_keys_stand_for_keys():
    held = HeldKeys({"loose"}, [np.array([short_key("a"), short_key("b")], np.uint64)])
    assert "a" in held and "b" in held and "loose" in held
    assert "c" not in held and 3 not in held
    assert "a" not in HeldKeys(set())


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
    packs.join(folder_of(store), names(store, "part-*"))
    reading = store.rows(spec())
    found = [next(reading)[0] for _ in range(3)]
    fill(tmp_path, 20, "more")
    assert store.compact(spec()) == 21
    found += [key for key, _ in reading]
    assert sorted(found) == sorted(keys(4) | keys(20, "more"))


def _write_and_compact(root: str, writer: int, barrier: object) -> None:
    packs.FEW = 8
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
            packs.join(folder_of(store), parts)
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
    with packs.alone(folder_of(store)) as free:
        assert free
        assert store.compact(spec()) == 0
    assert store.compact(spec()) == 12


# ---------------------------------------------------------------- kills

KILLED = """
import os, signal, sys
from pathlib import Path
from vidfit.features import packs
from vidfit import files

packs.FEW = 8
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
print(packs.compact(Path(sys.argv[1])))
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
            packs.join(folder_of(store), loose)
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
    return any(key.rstrip("0123456789-") == of for key in packs.keys_of(path.read_bytes()))


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


# ---------------------------------------------------------------- damage


def joined(tmp_path: Path, parts: int = 10) -> tuple[FeatureStore, Path]:
    store = fill(tmp_path, parts)
    store.compact(spec())
    (path,) = names(store, "pack-*.tar")
    return store, path


def _resigned(line: bytes, rest: bytes) -> bytes:
    told = line + b"\n" + rest
    return hashlib.sha256(told).digest() + told


HOSTILE = {
    "missing": lambda content: None,
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:60] + bytes([content[60] ^ 4]) + content[61:],
    "no JSON": lambda content: _resigned(b"{", content[-160:]),
    "deep": lambda content: _resigned(b"[" * 100_000, b""),
    "a list": lambda content: _resigned(b"[]", b""),
    "other format": lambda content: _resigned(b'{"format":2,"parts":[]}', b""),
    "no rows": lambda content: _resigned(content[32:].split(b"\n")[0], b""),
    "another name": lambda content: _resigned(b'{"format":1,"parts":[["../../x",0,10,0]]}', b""),
    "negative": lambda content: _resigned(
        b'{"format":1,"parts":[["part-' + b"a" * 32 + b'.parquet",-5,10,0]]}', b""
    ),
    "text for numbers": lambda content: _resigned(
        b'{"format":1,"parts":[["part-' + b"a" * 32 + b'.parquet","0",10,0]]}', b""
    ),
}


@pytest.mark.parametrize("damage", HOSTILE)
def test_a_damaged_or_hostile_index_is_made_anew(tmp_path, damage):
    store, path = joined(tmp_path)
    index = path.with_suffix(".index")
    sound = index.read_bytes()
    index.unlink()
    if (content := HOSTILE[damage](sound)) is not None:
        index.write_bytes(content)
    check(store, keys(10))
    assert index.read_bytes() == sound


def test_an_index_that_lies_costs_a_second_look_and_no_row(tmp_path):
    store, path = joined(tmp_path)
    name = "part-" + "a" * 32 + ".parquet"
    for offset, size in ((0, 10), (0, 1 << 60), (1 << 60, 10)):
        line = f'{{"format":1,"parts":[["{name}",{offset},{size},1]]}}'.encode()
        path.with_suffix(".index").write_bytes(_resigned(line, bytes(8)))
        assert list(store.rows(spec())) == []  # it is left out of the index
        assert Pack.open(path).parts == ()
    path.with_suffix(".index").unlink()
    check(store, keys(10))


def test_a_damaged_part_of_a_pack_is_left_out_and_computed_again(tmp_path):
    store, path = joined(tmp_path)
    part = Pack.open(path).parts[3]
    content = bytearray(path.read_bytes())
    lost = set(packs.keys_of(content[part.offset : part.offset + part.size]))
    content[part.offset + 40] ^= 1
    path.write_bytes(bytes(content))
    assert {key for key, _ in store.rows(spec())} == keys(10) - lost
    assert not any(key in store.held(spec()) for key in lost)
    path.with_suffix(".index").unlink()
    assert store.known(spec()) == keys(10) - lost
    rows = {key: features(10 * int(key[4:-2]) + int(key[-1]), 1 + int(key[-1])) for key in lost}
    store.write(spec(), rows)
    check(store, keys(10))


def test_every_flipped_bit_of_a_pack_is_noticed(tmp_path):
    store, path = joined(tmp_path)
    sound, index = path.read_bytes(), path.with_suffix(".index").read_bytes()
    within = [range(part.offset, part.offset + part.size) for part in Pack.open(path).parts]
    random = np.random.default_rng(0)
    for place in random.choice(len(sound), 30, replace=False):
        data = bytearray(sound)
        data[place] ^= 1 << int(random.integers(8))
        path.write_bytes(bytes(data))
        found = {key for key, _ in store.rows(spec())}
        inside = any(place in some for some in within)
        assert len(found) == (18 if inside else 20)  # what is in headers and gaps is not needed
        path.with_suffix(".index").write_bytes(index)


@pytest.mark.parametrize("kept", [0, 100, 512, 5000])
def test_a_pack_that_is_cut_short_gives_what_is_left(tmp_path, kept):
    store, path = joined(tmp_path)
    size = path.stat().st_size
    whole = [part for part in Pack.open(path).parts if part.offset + part.size <= size - kept]
    path.write_bytes(path.read_bytes()[: size - kept])
    assert len(list(store.rows(spec()))) == 2 * len(whole)
    path.with_suffix(".index").unlink()
    assert len(store.known(spec())) == 2 * len(whole)


def test_a_tar_of_other_things_holds_no_rows(tmp_path):
    store, path = joined(tmp_path)
    with tarfile.open(path, "w") as tar:
        for name in ("../../evil", "part-" + "a" * 32 + ".parquet"):
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
    path.with_suffix(".index").unlink()
    assert store.known(spec()) == set()
    assert not (tmp_path.parent / "evil").exists()


def test_an_extraction_goes_round_what_is_damaged_in_a_pack(tmp_path):
    clips = []
    for i in range(3):
        clips.append(Clip(str(write_clip(tmp_path / f"{i}.mp4", seed=i))))
    backbone = Counting()
    for clip in clips:
        extract([clip], [backbone], FeatureStore(tmp_path / "store"), Here(1))
    store = FeatureStore(tmp_path / "store")
    folder = store.root / spec_key(backbone.spec)
    packs.join(folder, sorted(folder.glob("part-*")))
    (path,) = folder.glob("pack-*.tar")
    part = Pack.open(path).parts[1]
    content = bytearray(path.read_bytes())
    content[part.offset + 40] ^= 1
    path.write_bytes(bytes(content))

    def read(done):
        found = {key for key, _ in store.rows(backbone.spec)}
        return found if set(done.digests.values()) <= found else None

    done, found = extract_all(clips, [backbone], store, Here(1), SILENT, read)
    assert len(found) == 3 and done.computed == 1 and backbone.calls == 4


def test_a_short_key_that_lies_is_found_out(tmp_path, monkeypatch):
    """Of 2^64 short keys two may be one: what is not there is then read in full."""
    clips = [Clip(str(write_clip(tmp_path / f"{i}.mp4", seed=i))) for i in range(2)]
    backbone, store = Counting(), FeatureStore(tmp_path / "store")
    extract(clips[:1], [backbone], store, Here(1))
    folder = store.root / spec_key(backbone.spec)
    packs.join(folder, sorted(folder.glob("part-*")))
    monkeypatch.setattr(HeldKeys, "__contains__", lambda self, key: True)

    def read(done):
        found = {key for key, _ in store.rows(backbone.spec)}
        return found if set(done.digests.values()) <= found else None

    done, found = extract_all(clips, [backbone], store, Here(1), SILENT, read)
    assert len(found) == 2 and done.computed == 1


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
        monkeypatch.setattr(packs, "FEW", 8)
        assert len(names(store, "part-*")) == 12
        assert names(store, "pack-*") == [] and names(store, ".tmp-*") == []
    assert store.compact(spec()) == 12
    check(store, keys(12))


def test_an_extraction_ends_well_where_parts_cannot_be_joined(tmp_path, monkeypatch):
    clips = [Clip(str(write_clip(tmp_path / "a.mp4")))]

    def full(folder):
        raise StoreError("full")

    monkeypatch.setattr(packs, "compact", full)
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
