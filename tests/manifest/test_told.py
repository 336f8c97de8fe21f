"""One line on what was read; what was lost comes first."""

from __future__ import annotations

import pytest
from tests.manifest.made import clips, rows, write

from vidfit.contracts import Clip, Failure
from vidfit.manifest import Manifest, losses, noticed, read_manifest, refusal, told


def test_many_classes_are_cut_short():
    manifest = Manifest(
        tuple(Clip(f"{i}.mp4", label=f"c{i}") for i in range(100)), layout="CLASS/*.mp4"
    )
    assert told(manifest)[0].startswith(
        "Read as CLASS/*.mp4: c0 1, c1 1, c2 1, c3 1, c4 1 and 95 more; 100 recordings"
    )


def test_recordings_and_splits_are_told():
    made = (Clip(f"{i}.mp4", label="x", group="r", split="train") for i in range(2))
    manifest = Manifest(tuple(made), "from groups.csv: 1 recordings of 2 clips", layout="the table")
    assert told(manifest) == ["Read as the table: x 2; train 2; 1 recording, from groups.csv"]


def test_losses_are_counted_by_reason_the_most_frequent_first():
    failures = [Failure(f"{i}.mp4", "no such file") for i in range(3)]
    failures += [Failure("b.pdf", "not a video"), Failure("v.mp4", "v.mp4: it is empty")]
    assert losses(failures, 9) == (
        "5 of 9 cannot be used: 3 no such file (such as 0.mp4); 1 not a video (b.pdf); "
        "1 it is empty (v.mp4)"
    )
    assert losses([Failure(f"{i}", f"reason {i}") for i in range(5)], 5).endswith(
        "; 2 for other reasons"
    )
    assert losses([], 9) == ""


def test_a_missing_file_counts_once_when_reading_failed_as_well(tmp_path):
    source = rows("path,label,first", "a.mp4,x,1", "gone.mp4,y,2")(tmp_path)
    manifest = read_manifest(source)
    gone = str(tmp_path / "gone.mp4")
    assert [clip.path for clip in manifest.present(manifest.clips)] == [str(tmp_path / "a.mp4")]
    for unread in ((), (Failure(gone, "no such file; check the path"),)):
        words = noticed(manifest, unread)
        assert words.startswith("1 of 2 cannot be used: no such file; check the path")
        assert words.endswith("Columns of list.csv that are not used: first.")


def test_a_refusal_says_first_what_is_known():
    assert refusal("3 of 4 cannot be used.", "one class is left") == (
        "3 of 4 cannot be used. One class is left"
    )
    assert refusal("", "one class is left") == "one class is left"


def test_a_folder_without_clips_says_what_lies_in_it(tmp_path):
    write(tmp_path, "walk/notes.pdf", "docs/")
    with pytest.raises(Exception, match=r"Folders .*walk.*: no video or image in it.* Expected: "):
        read_manifest(tmp_path)


def test_the_files_of_a_folder_are_there(tmp_path):
    write(tmp_path, *clips("walk", "stand"))
    assert read_manifest(tmp_path).missing == ()
