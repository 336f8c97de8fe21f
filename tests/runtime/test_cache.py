"""Files of exports: named by what they depend on, whole or not there."""

import dataclasses
from pathlib import Path

import pytest

from vidfit.contracts import Preprocessing, Sampling
from vidfit.files import sha256
from vidfit.runtime import cache


def test_default_folder_follows_xdg(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.default_folder() == Path("/somewhere/vidfit/engines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.default_folder() == Path.home() / ".cache/vidfit/engines"


def test_key_depends_on_all_that_matters(tiny, monkeypatch):
    spec = tiny.spec
    first = cache.key(spec)
    others = [
        cache.key(dataclasses.replace(spec, revision="0")),
        cache.key(dataclasses.replace(spec, sampling=Sampling(9, 3))),
        cache.key(dataclasses.replace(spec, preprocessing=Preprocessing(32, 32))),
    ]
    monkeypatch.setattr(cache, "version", lambda package: "99")
    others.append(cache.key(spec))
    assert len({first, *others}) == 5


def test_key_does_not_depend_on_the_number_of_views(tiny):
    fewer = dataclasses.replace(tiny.spec, sampling=Sampling(2, 1))
    assert cache.key(fewer) == cache.key(tiny.spec)


def test_written_file_is_whole_until_it_is_changed(tmp_path):
    path = tmp_path / "new" / "a.onnx"
    assert cache.whole(path) is None
    assert cache.write(path, lambda new: new.write_bytes(b"network")) == 7
    assert cache.whole(path) == sha256(path)
    assert path.read_bytes() == b"network"
    path.write_bytes(b"netwerk")
    assert cache.whole(path) is None


def test_failed_write_leaves_nothing_and_keeps_the_old(tmp_path):
    path = tmp_path / "a.onnx"
    cache.write(path, lambda new: new.write_bytes(b"old"))

    def fail(new):
        new.write_bytes(b"half")
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        cache.write(path, fail)
    assert path.read_bytes() == b"old"
    assert cache.whole(path)
    assert len(list(tmp_path.iterdir())) == 2


# ---------------------------------------------------------------- notes


def test_a_note_is_of_one_network_machine_and_version(tmp_path, monkeypatch):
    beside = tmp_path / "new" / "a.onnx"
    path = cache.note_path(beside, "choice", ("torch",), 1)
    cache.write_note(path, "network", {"engine": "onnx"})
    assert cache.read_note(path, "network") == {"network": "network", "engine": "onnx"}
    assert cache.read_note(path, "another") is None
    assert len(list(path.parent.iterdir())) == 1
    others = {
        cache.note_path(beside, "choice", ("torch",), 2),
        cache.note_path(beside, "choice", ("torch", "not-installed"), 1),
        cache.note_path(beside, "onnx", ("torch",), 1),
    }
    here = cache.hardware()
    another = dataclasses.replace(here, processor="another")
    monkeypatch.setattr(cache, "hardware", lambda: another)
    others.add(cache.note_path(beside, "choice", ("torch",), 1))
    assert len({path, *others}) == 5


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"network": 3}', "\x00"])
def test_a_damaged_note_is_none(tmp_path, damage):
    path = tmp_path / "note.json"
    path.write_text(damage)
    assert cache.read_note(path, "network") is None
    cache.write_note(path, "network", {})
    assert cache.read_note(path, "network") is not None
