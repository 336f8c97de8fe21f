"""Videos are found by their suffix, or, where that tells nothing, by their first bytes."""

from __future__ import annotations

import pytest

from vidfit.errors import ManifestError
from vidfit.manifest import iter_clips, read_manifest
from vidfit.manifest.names import VIDEO_SUFFIXES
from vidfit.video import VIDEO_SUFFIXES as READ_SUFFIXES

MP4 = b"\0\0\0\x18ftypisom" + bytes(40)


@pytest.fixture
def folder(tmp_path):
    for label in ("walk", "stand"):
        (tmp_path / label).mkdir()
        for name in ("a.mp4", "b.insv", "c", "d.0001"):
            (tmp_path / label / name).write_bytes(MP4)
        (tmp_path / label / "e.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt " + bytes(40))
        (tmp_path / label / "notes.txt").write_bytes(MP4)
    return tmp_path


def test_there_is_one_table_of_suffixes():
    assert VIDEO_SUFFIXES is READ_SUFFIXES


def test_a_folder_of_classes_is_searched_by_bytes(folder):
    manifest = read_manifest(folder)
    names = [clip.path.rpartition("/")[2] for clip in manifest.clips if clip.label == "walk"]
    assert names == ["a.mp4", "b.insv", "c", "d.0001"]
    assert [failure.name.rpartition("/")[2] for failure in manifest.rejected] == ["e.wav"] * 2


def test_so_is_a_folder_of_videos_to_be_answered(folder):
    names = [clip.path.rpartition("/")[2] for clip in iter_clips(folder)]
    assert names == ["a.mp4", "b.insv", "c", "d.0001"] * 2


def test_one_video_without_a_suffix_is_a_manifest(folder):
    assert [clip.path for clip in read_manifest(folder / "walk/c").clips] == [f"{folder}/walk/c"]
    (sound,) = read_manifest(folder / "walk/e.wav").clips
    assert sound.path == f"{folder}/walk/e.wav"
    (folder / "walk/e.bin").write_bytes(b"RIFF")
    with pytest.raises(ManifestError, match="neither a video nor a list"):
        read_manifest(folder / "walk/e.bin")
