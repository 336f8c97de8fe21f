"""Files of exports: named by what they depend on, whole or not there."""

import dataclasses
from pathlib import Path

import pytest

from vidfit.contracts import Preprocessing, Sampling
from vidfit.runtime import cache


def test_default_folder_follows_xdg(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.default_folder() == Path("/somewhere/vidfit/engines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.default_folder() == Path.home() / ".cache/vidfit/engines"


def test_key_depends_on_all_that_matters(tiny, monkeypatch):
    spec = tiny.spec
    first = cache.key(spec, "onnx", ("torch",))
    others = [
        cache.key(dataclasses.replace(spec, revision="0"), "onnx", ("torch",)),
        cache.key(dataclasses.replace(spec, sampling=Sampling(9, 3)), "onnx", ("torch",)),
        cache.key(
            dataclasses.replace(spec, preprocessing=Preprocessing(32, 32)), "onnx", ("torch",)
        ),
        cache.key(spec, "openvino", ("torch",)),
        cache.key(spec, "onnx", ("torch", "onnx")),
    ]
    monkeypatch.setattr(cache.metadata, "version", lambda package: "99")
    others.append(cache.key(spec, "onnx", ("torch",)))
    assert len({first, *others}) == 7


def test_key_does_not_depend_on_the_number_of_views(tiny):
    fewer = dataclasses.replace(tiny.spec, sampling=Sampling(2, 1))
    assert cache.key(fewer, "onnx", ()) == cache.key(tiny.spec, "onnx", ())


def test_written_file_is_whole_until_it_is_changed(tmp_path):
    path = tmp_path / "new" / "a.onnx"
    assert not cache.is_whole(path)
    cache.write(path, lambda new: new.write_bytes(b"network"))
    assert cache.is_whole(path)
    assert path.read_bytes() == b"network"
    path.write_bytes(b"netwerk")
    assert not cache.is_whole(path)


def test_failed_write_leaves_nothing_and_keeps_the_old(tmp_path):
    path = tmp_path / "a.onnx"
    cache.write(path, lambda new: new.write_bytes(b"old"))

    def fail(new):
        new.write_bytes(b"half")
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        cache.write(path, fail)
    assert path.read_bytes() == b"old"
    assert cache.is_whole(path)
    assert len(list(tmp_path.iterdir())) == 2
