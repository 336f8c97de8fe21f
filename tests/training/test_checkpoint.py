"""A kill leaves the checkpoint before; damage is told; tensors and numbers come back."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch

from vidfit.errors import StoreError
from vidfit.training import checkpoint
from vidfit.training.checkpoint import Saved, read_checkpoint, write_checkpoint


def saved(value):
    return Saved({"model/a": torch.full((3,), float(value)), "best/a": torch.zeros(1)},
                 {"state": value})  # fmt: skip


def test_the_newest_comes_back_and_is_the_only_one(tmp_path):
    for step in (5, 10, 100):
        write_checkpoint(tmp_path, step, saved(step))
    found = read_checkpoint(tmp_path)
    assert found.facts == {"state": 100, "step": 100}
    assert torch.equal(found.part("model")["a"], torch.full((3,), 100.0))
    assert list(found.part("best")) == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000100"]


def test_without_one_there_is_none(tmp_path):
    assert read_checkpoint(tmp_path / "nowhere") is None


def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def write_and_die(folder, owner, name):
    setattr(owner, name, killed)
    write_checkpoint(folder, 2, saved(2))


@pytest.mark.parametrize(
    ("owner", "name", "survivor"),
    [
        (checkpoint, "save_file", 1),
        (checkpoint, "_flush", 1),
        (Path, "replace", 1),
        (checkpoint.shutil, "rmtree", 2),
    ],
)
def test_a_writer_that_is_killed_leaves_a_whole_one(tmp_path, owner, name, survivor):
    write_checkpoint(tmp_path, 1, saved(1))
    fork = multiprocessing.get_context("fork")  # a fresh process would import torch for seconds
    writer = fork.Process(target=write_and_die, args=(tmp_path, owner, name))
    writer.start()
    writer.join(60)
    assert writer.exitcode == -signal.SIGKILL
    found = read_checkpoint(tmp_path)
    assert found.facts["state"] == survivor
    assert torch.equal(found.part("model")["a"], torch.full((3,), float(survivor)))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["state.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_one_is_told(tmp_path, name, damage):
    write_checkpoint(tmp_path, 1, saved(1))
    path = tmp_path / "checkpoint-00000001" / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError, match=r"is damaged .* remove it to train from the start"):
        read_checkpoint(tmp_path)


def test_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    write_checkpoint(tmp_path, 1, saved(1))

    def full(tensors, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidfit.training.checkpoint.save_file", full)
    with pytest.raises(StoreError, match=r"No space left on device.*the checkpoint before is kept"):
        write_checkpoint(tmp_path, 2, saved(2))
    assert read_checkpoint(tmp_path).facts["state"] == 1
    assert len(list(tmp_path.iterdir())) == 1
