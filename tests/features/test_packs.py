"""A pack is a plain tar; what is damaged in it or its index costs those rows alone."""

from __future__ import annotations

import hashlib
import io
import tarfile

import numpy as np
import pytest
from tests.clips import Counting, spec, write_clip
from tests.features.packed import check, fill, folder_of, joined, keys, names
from tests.features.test_store import MEMORY, features

from vidfit.contracts import Clip
from vidfit.errors import StoreError
from vidfit.features import FeatureStore, joining, packs
from vidfit.features import store as store_module
from vidfit.features.digests import spec_key
from vidfit.features.extract import extract, extract_all
from vidfit.features.packs import Pack, keys_of
from vidfit.launch import Here
from vidfit.progress import SILENT


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(joining, "FEW", 8)


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
    lost = set(keys_of(content[part.offset : part.offset + part.size]))
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


def _short(monkeypatch, error: BaseException) -> None:
    def refuse(*args):
        raise error

    for module in (packs, store_module):
        monkeypatch.setattr(module, "read_parquet", refuse)


@pytest.mark.parametrize("error", MEMORY, ids=["Arrow", "Python"])
@pytest.mark.parametrize("look", ["known", "rows", "keep"])
def test_a_lack_of_memory_leaves_no_part_out_of_a_pack(tmp_path, monkeypatch, look, error):
    store, path = joined(tmp_path)
    index = path.with_suffix(".index").read_bytes()
    for content in (index, b""):  # as it was; and to be made anew
        path.with_suffix(".index").write_bytes(content)
        with monkeypatch.context() as patch, pytest.raises(StoreError, match="memory is too short"):
            _short(patch, error)
            list(getattr(store, look)(keys(10) if look == "keep" else spec()))
        assert path.with_suffix(".index").read_bytes() == content
    check(store, keys(10))


@pytest.mark.parametrize("error", MEMORY, ids=["Arrow", "Python"])
def test_a_lack_of_memory_drops_no_part_that_is_joined(tmp_path, monkeypatch, error):
    store = fill(tmp_path, 10)
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="memory is too short"):
        _short(patch, error)
        store.compact(spec())
    assert len(names(store, "part-*")) == 10 and names(store, "pack-*") == []
    check(store, keys(10))


def test_a_pack_that_is_read_only_gives_what_is_whole(tmp_path, forbid, monkeypatch):
    store, path = joined(tmp_path)
    part = Pack.open(path).parts[3]
    content = bytearray(path.read_bytes())
    damaged = bytes(content[part.offset : part.offset + part.size])
    lost = set(keys_of(damaged))
    content[part.offset + part.size - 20] ^= 1
    path.write_bytes(bytes(content))
    index = path.with_suffix(".index").read_bytes()
    for told in (index, b""):
        path.with_suffix(".index").write_bytes(told)
        forbid()
        assert store.known(spec()) == keys(10) - lost
        assert {key for key, _ in store.rows(spec())} == keys(10) - lost
        assert all(key in store.held(spec()) for key in keys(10) - lost)
        monkeypatch.undo()
        assert path.with_suffix(".index").read_bytes() == told


def test_an_extraction_goes_round_what_is_damaged_in_a_pack(tmp_path):
    clips = []
    for i in range(3):
        clips.append(Clip(str(write_clip(tmp_path / f"{i}.mp4", seed=i))))
    backbone = Counting()
    for clip in clips:
        extract([clip], [backbone], FeatureStore(tmp_path / "store"), Here(1))
    store = FeatureStore(tmp_path / "store")
    folder = store.root / spec_key(backbone.spec)
    joining.join(folder, sorted(folder.glob("part-*")))
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
