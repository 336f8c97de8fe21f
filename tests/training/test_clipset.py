"""Clips come back from their files as they went in; damage is refused; mixtures are exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit.errors import StoreError
from vidfit.training.clipset import UNLABELLED, ClipSet, FilesOfFrames, open_set
from vidfit.training.order import deal


def everything(clips=9):
    rng = np.random.default_rng(0)
    return ClipSet(
        np.arange(clips) % 3,
        {
            "tokens": rng.normal(size=(clips, 4, 5)).astype(np.float32),
            "present": rng.random((clips, 4)) < 0.7,
            "frames": rng.integers(0, 256, (clips, 1, 2, 4, 4, 3), np.uint8),
            "text": rng.integers(0, 9, (clips, 6)),
        },
    )


def test_arrays_come_back_and_are_mapped_not_read(tmp_path):
    written = everything()
    written.write(tmp_path)
    found = open_set(tmp_path)
    np.testing.assert_array_equal(found.labels_M, written.labels_M)
    for name, array in written.arrays.items():
        assert isinstance(found.arrays[name], np.memmap)
        np.testing.assert_array_equal(found.arrays[name], array)
    clips = found.read(np.array([7, 2]))
    assert [tensor.dtype for tensor in clips.tensors] == [
        torch.float32, torch.bool, torch.uint8, torch.int64,
    ]  # fmt: skip
    np.testing.assert_array_equal(clips.tokens_BND, written.arrays["tokens"][[7, 2]])


def test_what_was_read_can_be_written_to(tmp_path):
    everything().write(tmp_path)
    found = open_set(tmp_path)
    found.read(np.array([0])).tokens_BND.zero_()
    np.testing.assert_array_equal(found.arrays["tokens"], everything().arrays["tokens"])


def test_frames_may_be_a_file_each(tmp_path):
    frames = everything().arrays["frames"]
    paths = tuple(tmp_path / f"{i}.npy" for i in range(len(frames)))
    for path, array in zip(paths, frames, strict=True):
        np.save(path, array)
    ClipSet(np.zeros(9, np.int64), {"frames": FilesOfFrames(paths)}).write(tmp_path / "set")
    found = open_set(tmp_path / "set").read(np.array([8, 0]))
    np.testing.assert_array_equal(found.frames_BVTHWC, frames[[8, 0]])


def test_damage_is_refused(tmp_path):
    everything().write(tmp_path)
    content = (tmp_path / "tokens.npy").read_bytes()
    (tmp_path / "tokens.npy").write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match=r"holds no clips to train on.*prepare it anew"):
        open_set(tmp_path)


def test_code_in_a_file_is_not_run(tmp_path):
    everything().write(tmp_path)
    np.save(tmp_path / "labels.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(StoreError, match="holds no clips to train on"):
        open_set(tmp_path)


def test_arrays_of_other_lengths_and_sets_of_nothing_are_refused(tmp_path):
    everything().write(tmp_path)
    everything(8).write(tmp_path / "other")
    (tmp_path / "other" / "text.npy").replace(tmp_path / "text.npy")
    with pytest.raises(StoreError, match="9 labels, but text do not fit"):
        open_set(tmp_path)
    with pytest.raises(StoreError, match="holds no clips"):
        open_set(tmp_path / "nowhere")
    ClipSet(np.arange(2), {}).write(tmp_path / "labels")
    with pytest.raises(StoreError, match="2 labels, but no clips"):
        open_set(tmp_path / "labels")


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot write .*labels\.npy"):
        everything().write(tmp_path / "file")


# ---------------------------------------------------------------- mixing and targets


def test_mixtures_are_those_of_their_partners():
    clips, rows = everything(), np.arange(9)
    (micro,) = deal(rows, 0, (0.5, (1,)), (0, 1, 16))
    found, arrays = clips.mixed(micro), clips.arrays
    for i in range(9):
        own, other, share = micro.rows_B[i], micro.partners_B[i], micro.shares_B[i]
        expected = share * arrays["tokens"][own] + (1 - share) * arrays["tokens"][other]
        np.testing.assert_allclose(found.tokens_BND[i], expected, atol=1e-6)
        seen = share * arrays["frames"][own].astype(float) + (1 - share) * arrays["frames"][other]
        assert np.abs(found.frames_BVTHWC[i].numpy() - seen).max() <= 0.5 + 1e-4
        present = arrays["present"][own] | arrays["present"][other]
        np.testing.assert_array_equal(found.present_BN[i], present)
        np.testing.assert_array_equal(found.text_BL[i], arrays["text"][own])


def test_targets_are_mixed_smoothed_and_count():
    labels = np.array([0, 2, 1, UNLABELLED])
    clips = ClipSet(labels, {"text": np.zeros((4, 1), np.int64)})
    (micro,) = deal(np.arange(3), 0, (0.5, (1,)), (0, 1, 16))
    hot = np.eye(3)[labels[:3]] * 0.7 + 0.1
    share = micro.shares_B[:, None]
    expected = share * hot[micro.rows_B] + (1 - share) * hot[micro.partners_B]
    np.testing.assert_allclose(clips.targets(micro, 3, 0.3), expected, atol=1e-6)
    (dummy,) = deal(np.array([1]), 0, (0.0, ()), (1, 2, 16))
    (unlabelled,) = deal(np.array([3]), 0, (0.0, ()), (0, 1, 16))
    assert not clips.targets(dummy, 3, 0.3).any()
    assert not clips.targets(unlabelled, 3, 0.3).any()
