"""Shards that were altered, cut or lost are found; sound ones are not."""

from __future__ import annotations

import shutil

import pytest
from tests.called import call

from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import sha256
from vidfit.jobs.shard.verify import verify_shards
from vidfit.manifest import read_manifest


@pytest.fixture
def shards(by_video, tmp_path):
    return shutil.copytree(by_video, tmp_path / "shards")


def test_sound_shards_are_as_they_were_written(shards):
    done = verify_shards(shards, workers=2)
    names = sorted(path.name for path in shards.glob("*.tar"))
    assert done.failures == ()
    assert done.shards == len(names) > 1
    assert done.size_bytes == sum((shards / name).stat().st_size for name in names)
    told = call("shard", shards, "--verify")
    assert told.exit_code == 0
    assert "as they were written" in told.output


def test_shards_of_the_first_format_are_checked_by_the_sha256_of_the_file(shards):
    path = shards / "shards.json"
    document = json_in(path.read_text())
    for shard in document["shards"]:
        del shard["digest"]
        shard["sha256"] = sha256(shards / shard["name"])
    path.write_text(to_json(document | {"format": 1}))
    assert verify_shards(shards).failures == ()
    assert len(read_manifest(shards)) == 12
    first = shards / document["shards"][0]["name"]
    content = bytearray(first.read_bytes())
    content[700] ^= 1
    first.write_bytes(content)
    (found,) = verify_shards(shards).failures
    assert "altered" in found.reason


@pytest.mark.parametrize("place", [0, 130, 700, -1])
def test_an_altered_byte_is_found(shards, place):
    first = min(shards.glob("*.tar"))
    content = bytearray(first.read_bytes())
    content[place] ^= 1
    first.write_bytes(content)
    (found,) = verify_shards(shards).failures
    assert found.name == first.name and "altered" in found.reason


def test_what_is_wrong_is_named(shards):
    first, second, *_ = sorted(shards.glob("*.tar"))
    content = bytearray(first.read_bytes())
    content[700] ^= 1
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-512])
    (shards / "index.parquet").unlink()
    found = {failure.name: failure.reason for failure in verify_shards(shards).failures}
    assert set(found) == {first.name, second.name, "index.parquet"}
    assert "altered" in found[first.name]
    assert "bytes, and had" in found[second.name]
    first.unlink()
    found = {failure.name: failure.reason for failure in verify_shards(shards).failures}
    assert found[first.name] == "is missing; shard again"
    told = call("shard", shards, "--verify")
    assert told.exit_code == 1
    assert first.name in told.output


def test_a_tar_that_the_document_does_not_name_is_told(shards):
    shutil.copy(min(shards.glob("*.tar")), shards / "train-000099.tar")
    (found,) = verify_shards(shards).failures
    assert (found.name, found.reason) == ("train-000099.tar", "is not in shards.json; remove it")


@pytest.mark.parametrize(
    "told",
    [
        "3",
        "null",
        '[{"name": "a.tar", "bytes": 1e999, "digest": ""}]',
        '[{"name": "a\\u0000.tar", "bytes": 1, "digest": ""}]',
        '[{"name": "\\ud800.tar", "bytes": 1, "digest": ""}]',
    ],
)
def test_a_damaged_document_is_told(shards, told):
    (shards / "shards.json").write_text(f'{{"format": 2, "shards": {told}}}')
    with pytest.raises(StoreError, match="damaged"):
        verify_shards(shards)


def test_a_document_that_names_a_file_elsewhere_is_told(shards):
    path = shards / "shards.json"
    document = json_in(path.read_text())
    document["shards"][0]["name"] = "../other.tar"
    path.write_text(to_json(document))
    with pytest.raises(StoreError, match="a file elsewhere"):
        verify_shards(shards)


def test_a_folder_without_shards_is_told(tmp_path):
    with pytest.raises(StoreError, match="no shards"):
        verify_shards(tmp_path)
