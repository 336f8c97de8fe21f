"""Which clips are learned from without their label, and which never are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.clips import write_dataset

from vidfit.contracts import Clip
from vidfit.errors import ManifestError, NotEnoughDataError
from vidfit.manifest import Manifest, read_manifest
from vidfit.study.unlabelled import of_other_recordings, unlabelled_clips


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("more") / "more", 2)


def names(clips):
    return [Path(clip.path).name for clip in clips]


def test_labels_of_the_folder_are_not_looked_at(folder):
    own = Manifest((Clip("a.mp4", label="x"), Clip("b.mp4")))
    found = unlabelled_clips(own, folder)
    assert names(found.clips) == ["left0.mp4", "left1.mp4", "right0.mp4", "right1.mp4", "b.mp4"]
    assert all(clip.label is None and clip.split is None for clip in found.clips)


def test_what_is_known_with_its_label_or_held_back_is_left_out(folder, tmp_path):
    known = read_manifest(folder)
    table = tmp_path / "list.csv"
    rows = [f"{clip.path},{clip.label},{s}" for clip, s in zip(known.clips, "2345", strict=True)]
    lines = [r.replace(",2", ",test").replace(",3", ",val").replace(",4", ",train") for r in rows]
    table.write_text("\n".join(["path,label,split", *lines[:3]]))
    assert names(unlabelled_clips(Manifest(()), table).clips) == ["right0.mp4"]
    some = Manifest(tuple(clip for clip in known.clips if clip.path.endswith("left0.mp4")))
    assert names(unlabelled_clips(some, folder).clips) == ["left1.mp4", "right0.mp4", "right1.mp4"]
    with pytest.raises(NotEnoughDataError, match="no clip to learn from without a label"):
        unlabelled_clips(known, folder)


def test_the_list_itself_gives_its_clips_without_a_label(folder, tmp_path):
    table = tmp_path / "list.csv"
    paths = [clip.path for clip in read_manifest(folder).clips]
    labels = ("x", "y", "", "")
    rows = [f"{path},{label}" for path, label in zip(paths, labels, strict=True)]
    table.write_text("\n".join(["path,label", *rows]))
    found = unlabelled_clips(read_manifest(table), table)
    assert names(found.clips) == ["right0.mp4", "right1.mp4"]


def test_recordings_are_told_by_the_file_where_it_names_them(folder, tmp_path):
    groups = tmp_path / "groups.csv"
    groups.write_text("path,recording\nleft0.mp4,A\nleft1.mp4,A\nright0.mp4,B\nright1.mp4,B\n")
    found = unlabelled_clips(Manifest(()), folder, groups)
    assert [clip.recording for clip in found.clips] == ["A", "A", "B", "B"] and not found.warnings
    groups.write_text("path,recording\nother.mp4,A\n")
    found = unlabelled_clips(Manifest(()), folder, groups)
    assert len({clip.recording for clip in found.clips}) == 4
    assert "Recordings of clips without a label are not told by" in found.warnings[0]
    with pytest.raises(ManifestError):
        unlabelled_clips(Manifest(()), tmp_path / "absent", groups)


def test_clips_of_held_out_recordings_or_files_are_told_apart():
    held = [Clip("a.mp4", 0.0, 2.0, "x", "A"), Clip("b.mp4", label="y")]
    bare = [
        Clip("a.mp4", 2.0, 4.0, group="other"), Clip("c.mp4", group="A"),
        Clip("b.mp4"), Clip("d.mp4", group="D"),
    ]  # fmt: skip
    assert of_other_recordings(bare, held) == [bare[3]]
