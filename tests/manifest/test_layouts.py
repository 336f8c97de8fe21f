"""Layouts of data sets, told by folders, lists and tables. The files need no frames here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidfit.errors import ManifestError, VideoError
from vidfit.manifest import Manifest, read_manifest
from vidfit.manifest.subtitles import with_words
from vidfit.video import VideoReader


def make(root: Path, *names: str, content: str = "x") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def rows(manifest: Manifest, root: Path) -> list[tuple[str, str | None, str | None]]:
    return [
        (Path(clip.path).relative_to(root).as_posix(), clip.label, clip.split)
        for clip in manifest.clips
    ]


def test_class_folders_in_natural_order_with_any_case_of_suffix(tmp_path):
    make(tmp_path, "run/b10.MP4", "run/b2.mp4", "walk home/ä é.mkv", "walk home/日本.AVI")
    manifest = read_manifest(tmp_path)
    assert rows(manifest, tmp_path) == [
        ("run/b2.mp4", "run", None),
        ("run/b10.MP4", "run", None),
        ("walk home/ä é.mkv", "walk home", None),
        ("walk home/日本.AVI", "walk home", None),
    ]
    assert manifest.classes == ("run", "walk home")


def test_junk_is_silent_and_the_rest_is_rejected_with_a_reason(tmp_path):
    junk = ("a/.DS_Store", "a/._1.mp4", "a/Thumbs.db", "a/notes.txt", "__MACOSX/a/1.mp4")
    make(tmp_path, "a/1.mp4", "b/1.mp4", "b/slides.pdf", "loose.mp4", *junk)
    manifest = read_manifest(tmp_path)
    assert len(manifest) == 2
    assert {Path(f.name).name: f.reason for f in manifest.rejected} == {
        "slides.pdf": "not a video by its suffix '.pdf'",
        "loose.mp4": "lies outside the class folders",
    }


def test_broken_links_and_empty_videos_are_left_to_the_decoder(tmp_path):
    make(tmp_path, "a/1.mp4", "b/2.mp4")
    make(tmp_path, "a/empty.mp4", content="")
    (tmp_path / "b/gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    names = [Path(clip.path).name for clip in read_manifest(tmp_path).clips]
    assert names == ["1.mp4", "empty.mp4", "2.mp4", "gone.mp4"]


def test_a_loop_of_links_ends(tmp_path):
    make(tmp_path, "a/x/1.mp4")
    (tmp_path / "a/x/up").symlink_to(tmp_path / "a", target_is_directory=True)
    assert len(read_manifest(tmp_path)) == 1


def test_a_folder_that_cannot_be_read_and_a_link_to_itself_are_rejected(tmp_path, monkeypatch):
    make(tmp_path, "a/1.mp4", "b/2.mp4", "lost+found/3.mp4", "a/locked/4.mp4")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "b/loop").symlink_to(tmp_path / "b/loop")
    lock(monkeypatch, "lost+found", "locked")
    manifest = read_manifest(tmp_path)
    assert [Path(clip.path).name for clip in manifest.clips] == ["1.mp4", "2.mp4"]
    assert {Path(f.name).relative_to(tmp_path).as_posix(): f.reason for f in manifest.rejected} == {
        "lost+found": "the folder cannot be read (Permission denied)",
        "a/locked": "the folder cannot be read (Permission denied)",
        "loop": "a link that leads nowhere",
        "b/loop": "a link that leads nowhere",
    }


def test_a_list_beside_a_folder_that_cannot_be_read_is_read(tmp_path, monkeypatch):
    make(tmp_path, "videos/1.mp4", "lost+found/3.mp4")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "clips.csv").write_text("path,label\n1.mp4,a\n")
    lock(monkeypatch, "lost+found")
    assert not read_manifest(tmp_path).missing


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "y" * 300, "/".join(["z" * 200] * 30)])
def test_a_path_that_no_file_can_have_is_missing(tmp_path, name):
    make(tmp_path, "1.mp4")
    (tmp_path / "clips.csv").write_text(f"path,label\n1.mp4,a\n{name},b\n")
    manifest = read_manifest(tmp_path / "clips.csv")
    assert manifest.clips[0].path == str(tmp_path / "1.mp4")
    (failure,) = manifest.missing or manifest.rejected
    assert failure.reason.startswith("no such f")
    assert with_words(manifest) == manifest
    with pytest.raises(VideoError, match="name too long"):
        VideoReader(str(tmp_path / name))


def test_a_folder_of_clips_that_cannot_be_read_says_so(tmp_path, monkeypatch):
    make(tmp_path, "locked/1.mp4")
    lock(monkeypatch, "locked")
    with pytest.raises(ManifestError, match=r"cannot be read .Permission denied"):
        read_manifest(tmp_path / "locked")


def lock(monkeypatch, *names):
    """Refuse folders of these names as they are refused to who may not read them."""

    def refusing(real, folder_of):
        def refused(path=".", *rest, **options):
            if folder_of(Path(os.fsdecode(path))).name in names:
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *rest, **options)

        return refused

    monkeypatch.setattr(os, "stat", refusing(os.stat, lambda path: path.parent))
    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), lambda path: path))


def test_a_name_that_is_not_utf8_is_rejected(tmp_path):
    make(tmp_path, "a/1.mp4")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xff.mp4")).write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    manifest = read_manifest(tmp_path)
    assert len(manifest) == 1
    assert "not valid UTF-8" in manifest.rejected[0].reason


def test_split_folders(tmp_path):
    make(tmp_path, "train/a/1.mp4", "valid/a/2.mp4", "Test/b/3.mp4")
    assert rows(read_manifest(tmp_path), tmp_path) == [
        ("Test/b/3.mp4", "b", "test"),
        ("train/a/1.mp4", "a", "train"),
        ("valid/a/2.mp4", "a", "val"),
    ]


def test_folders_of_frames(tmp_path):
    make(tmp_path, *(f"{c}/clip{i}/{n:04d}.jpg" for c in "ab" for i in (1, 2) for n in range(3)))
    assert [row[:2] for row in rows(read_manifest(tmp_path), tmp_path)] == [
        ("a/clip1", "a"),
        ("a/clip2", "a"),
        ("b/clip1", "b"),
        ("b/clip2", "b"),
    ]


def test_loose_videos_and_a_single_one_have_no_label(tmp_path):
    make(tmp_path, "1.mp4", "2.mp4")
    manifest = read_manifest(tmp_path)
    assert rows(manifest, tmp_path) == [("1.mp4", None, None), ("2.mp4", None, None)]
    assert len(read_manifest(tmp_path / "1.mp4")) == 1
    with pytest.raises(ManifestError, match="2 of 2 clips have no label"):
        _ = manifest.labels


def test_a_wrapping_folder_is_no_class(tmp_path):
    make(tmp_path, "videos/a/1.mp4", "videos/b/2.mp4")
    assert read_manifest(tmp_path).classes == ("a", "b")


@pytest.mark.parametrize("what", ["absent", "empty", "images", "odd.xyz"])
def test_layouts_that_fail(tmp_path, what):
    source = tmp_path / what
    if what == "odd.xyz":
        source.write_text("x")
    elif what != "absent":
        source.mkdir()
    if what == "images":
        make(source, "a/notes.pdf")
    with pytest.raises(ManifestError, match="Expected: a folder with one folder"):
        read_manifest(source)


def test_list_of_paths_and_labels_with_spaces_and_names_beside_it(tmp_path):
    make(tmp_path, "videos/a b.mp4", "videos/c.mp4")
    make(tmp_path, "train.list", content="a b.mp4 0\nc.mp4 1\n")
    make(tmp_path, "label_map.txt", content="run\nwalk\n")
    assert rows(read_manifest(tmp_path / "train.list"), tmp_path) == [
        ("videos/a b.mp4", "run", None),
        ("videos/c.mp4", "walk", None),
    ]


def test_list_of_frame_folders(tmp_path):
    make(tmp_path, "frames/one/1.jpg", "frames/two/1.jpg")
    make(tmp_path, "list.txt", content="one 30 0\ntwo 12 1\nthree 9 1\n")
    manifest = read_manifest(tmp_path / "list.txt")
    assert rows(manifest, tmp_path) == [("frames/one", "0", None), ("frames/two", "1", None)]
    assert "no such folder of frames" in manifest.rejected[0].reason


def test_several_labels_a_line_are_rejected(tmp_path):
    make(tmp_path, "list.txt", content="a.mp4 0\nb.mp4 0 3\n")
    manifest = read_manifest(tmp_path / "list.txt")
    assert len(manifest) == 1
    assert "several labels" in manifest.rejected[0].reason


def test_ucf_layout(tmp_path):
    make(tmp_path, "UCF-101/Archery/v_Archery_g01_c01.avi", "UCF-101/Biking/v_Biking_g02_c01.avi")
    make(tmp_path, "lists/classInd.txt", content="1 Archery\r\n2 Biking\r\n")
    make(tmp_path, "lists/trainlist01.txt", content="Archery/v_Archery_g01_c01.avi 1\r\n")
    make(tmp_path, "lists/testlist01.txt", content="Biking/v_Biking_g02_c01.avi\r\n")
    assert rows(read_manifest(tmp_path / "lists"), tmp_path) == [
        ("UCF-101/Archery/v_Archery_g01_c01.avi", "Archery", "train"),
        ("UCF-101/Biking/v_Biking_g02_c01.avi", "Biking", "test"),
    ]


@pytest.mark.parametrize("header", ["path,label\n", "", "File;Class\n"])
def test_folder_with_a_table_for_each_split(tmp_path, header):
    separator = {"path,label\n": ",", "": " ", "File;Class\n": ";"}[header]
    make(tmp_path, "1.mp4", "2.mp4", "3.mp4")
    for name, number in (("train", 1), ("val", 2), ("test", 3)):
        make(tmp_path, f"{name}.csv", content=f"{header}{number}.mp4{separator}run\n")
    assert rows(read_manifest(tmp_path), tmp_path) == [
        ("1.mp4", "run", "train"),
        ("2.mp4", "run", "val"),
        ("3.mp4", "run", "test"),
    ]


def test_own_table_in_a_folder_goes_first(tmp_path):
    make(tmp_path, "a/1.mp4", "b/2.mp4")
    make(tmp_path, "clips.csv", content="path,label\na/1.mp4,only\n")
    assert rows(read_manifest(tmp_path), tmp_path) == [("a/1.mp4", "only", None)]


def test_the_digest_does_not_depend_on_where_the_folder_lies(tmp_path):
    digests = []
    for parent in ("here", "over/there"):
        make(tmp_path / parent, "a/1.mp4", "b/2.mp4")
        digests.append(read_manifest(tmp_path / parent).digest)
    make(tmp_path / "here", "b/3.mp4")
    assert digests[0] == digests[1] != read_manifest(tmp_path / "here").digest


def test_a_table_of_boxes_is_no_list_of_clips(tmp_path):
    (tmp_path / "boxes.csv").write_text("path,frame,label,x,y,w,h\na.mp4,0,bird,1,2,3,4\n")
    with pytest.raises(ManifestError, match=r"is a table of boxes.*--task detect"):
        read_manifest(tmp_path / "boxes.csv")
