"""Files with one content under two labels are told."""

from __future__ import annotations

from tests.manifest.made import clips, rows, write

from vidfit.manifest import read_manifest


def warned(source) -> bool:
    return any("with the same content" in line for line in read_manifest(source).warnings)


def test_a_copy_or_a_link_in_another_class_is_told(tmp_path):
    write(tmp_path, *clips("walk", "stand"))
    assert not warned(tmp_path)
    (tmp_path / "stand" / "link.mp4").symlink_to(tmp_path / "walk" / "walk-a.mp4")
    assert warned(tmp_path)


def test_a_copy_in_the_same_class_contradicts_nothing(tmp_path):
    write(tmp_path, *clips("walk", "stand"))
    (tmp_path / "walk" / "copy.mp4").write_bytes((tmp_path / "walk" / "walk-a.mp4").read_bytes())
    assert not warned(tmp_path)


def test_files_of_one_size_are_compared_to_their_end(tmp_path):
    write(tmp_path, *clips("walk", "stand"))
    ends = b"x" * (1 << 17)
    for label, middle in (("walk", b"1"), ("stand", b"2")):
        (tmp_path / label / "long.mp4").write_bytes(ends + middle + ends)
    assert not warned(tmp_path)


def test_spans_of_one_file_may_have_different_labels(tmp_path):
    lines = ("path,label,start,end", "a.mp4,walk,0,1", "a.mp4,stand,1,2")
    assert not warned(rows(*lines, files=("a.mp4",))(tmp_path))
