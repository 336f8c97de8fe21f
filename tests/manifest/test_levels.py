"""Which level of folders holds the classes."""

from __future__ import annotations

import pytest
from tests.manifest.made import clips, crossed, write

from vidfit.errors import ManifestError
from vidfit.manifest import read_manifest
from vidfit.manifest.levels import split_of_folder, written_levels


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(("train", "train"), ("Training set", "train"), ("train_videos", "train")),
        *(("trainset", "train"), ("Test-Data", "test"), ("validation split", "val")),
        *(("training field", None), ("testing2", None), ("set", None), ("trainer", None)),
    ],
)
def test_splits_by_the_name_of_a_folder(name, split):
    assert split_of_folder(name) == split


@pytest.mark.parametrize(
    ("outer", "inner", "classes"),
    [
        (("walk", "stand"), ("01", "02"), ("stand", "walk")),
        (("walk", "stand"), ("2024-05-01", "2024-05-02"), ("stand", "walk")),
        (("person_1", "person_2"), ("walk", "stand"), ("stand", "walk")),
        (("cam1", "cam2"), ("class0", "class1"), ("class0", "class1")),
        (("class0", "class1"), ("indoor", "outdoor"), ("class0", "class1")),
        (("walk", "stand"), ("train", "val"), ("stand", "walk")),
    ],
)
def test_names_tell_the_level_of_the_classes(tmp_path, outer, inner, classes):
    write(tmp_path, *crossed(outer, inner))
    assert read_manifest(tmp_path).classes == classes


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (("0", "1"), ("walk", "stand")),
        (("fight", "calm"), ("in", "out")),
        (("p1", "p2"), ("1", "2")),
    ],
)
def test_where_names_do_not_tell_it_asks(tmp_path, outer, inner):
    write(tmp_path, *crossed(outer, inner))
    with pytest.raises(ManifestError, match=r"Are .* the classes, or .*\?.*RECORDING/CLASS"):
        read_manifest(tmp_path)


def test_folders_that_differ_are_classes_with_recordings(tmp_path):
    write(tmp_path, *clips("walk/a", "walk/b", "stand/c", "stand/d"))
    manifest = read_manifest(tmp_path)
    assert manifest.classes == ("stand", "walk") and manifest.group_count == 4


@pytest.mark.parametrize("name", ["valid", "training"])
def test_a_class_named_like_a_split_is_kept_and_said(tmp_path, name):
    write(tmp_path, *clips(name, "other"))
    manifest = read_manifest(tmp_path)
    assert name in manifest.classes
    assert f"The folder {name} is read as a class" in manifest.warnings[0]


def test_split_folders_wrap_their_classes_with_others_left_out(tmp_path):
    write(tmp_path, *crossed(("train", "test"), ("walk", "stand")), *clips("extra"))
    manifest = read_manifest(tmp_path)
    assert manifest.classes == ("stand", "walk") and len(manifest) == 8
    assert {f.reason for f in manifest.rejected} == {"lies beside the folders train, val and test"}
    assert len(manifest.rejected) == 2


def test_levels_are_written_after_the_folder(tmp_path):
    (tmp_path / "a").mkdir()
    assert written_levels(tmp_path / "*" / "CLASS") == (tmp_path, ("*", "CLASS"))
    assert written_levels(tmp_path / "RECORDING") is None  # no class
    assert written_levels(tmp_path / "a") is None
    assert written_levels(tmp_path / "gone" / "CLASS") is None
