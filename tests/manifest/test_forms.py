"""What is said to each form in which people keep clips, and that predict reads it as fit does."""

from __future__ import annotations

import pytest
from tests.manifest.forms import PAGE, tables, with_tables
from tests.manifest.forms_of_folders import FOLDERS
from tests.manifest.forms_of_lists import LISTS
from tests.manifest.made import Form

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest import iter_clips, read_manifest

BY_NAME = {form.name: form for form in (*FOLDERS, *LISTS)}


def read(name: str, folder) -> list[tuple]:
    """Return path below the folder, start, end and label of the clips of a form."""
    manifest = read_manifest(BY_NAME[name].make(folder))
    return [
        (c.path.removeprefix(f"{folder}/"), c.start_seconds, c.end_seconds, c.label)
        for c in manifest.clips
    ]


def test_the_tables_of_the_page_are_what_is_said():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page, tables()), "run python -m tests.manifest.forms"


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(ValueError, match="has 0 places for the table folders"):
        with_tables("# Videos\n", {"folders": "| a |"})


@pytest.mark.parametrize(
    ("name", "clips"),
    [
        ("`start_frame,stop_frame`", [("a.mp4", 0.0, 2.0, "walk"), ("a.mp4", 2.0, None, "stand")]),
        (
            "`folder offset total label`",
            [("frames/one", 0.0, 2 / 25, "0"), ("frames/two", 1 / 25, None, "1")],
        ),
        (
            "times `1:30` and `0:01:00`",
            [("a.mp4", 90.0, 95.0, "walk"), ("b.mp4", 60.0, 120.0, "stand")],
        ),
        ("`sep=;`, decimal commas", [("a.mp4", 0.5, 1.5, "walk"), ("b.mp4", 0.0, None, "stand")]),
        (
            r"`videos\a.mp4`, from the folder above",
            [("videos/a.mp4", 0.0, None, "walk"), ("videos/b.mp4", 0.0, None, "stand")],
        ),
        (
            "`#1.mp4 walk`, and a file of that name",
            [("#1.mp4", 0.0, None, "walk"), ("b.mp4", 0.0, None, "stand")],
        ),
        ("`walk a.mp4`", [("a.mp4", 0.0, None, "walk"), ("b.mp4", 0.0, None, "stand")]),
    ],
)
def test_the_right_clips_are_read(tmp_path, name, clips):
    found = read(name, tmp_path)
    assert [row[:1] + row[3:] for row in found] == [row[:1] + row[3:] for row in clips]
    for (_, start, end, _), (_, right_start, right_end, _) in zip(found, clips, strict=True):
        assert (start, end) == pytest.approx((right_start, right_end))


def test_kinetics_files_are_found_by_id_and_time_and_are_the_whole_clip(tmp_path):
    found = read("Kinetics: `train.csv` beside `train/CLASS/`", tmp_path)
    assert found[0] == (
        "train/walking_dog/abcdefghijk_000001_000011.mp4", 0.0, None, "walking dog",
    )  # fmt: skip
    assert len(found) == 5


def test_a_split_folder_beside_class_folders_is_a_split(tmp_path):
    manifest = read_manifest(BY_NAME["`test/walk/` beside `walk/`, `stand/`"].make(tmp_path))
    assert [clip.split for clip in manifest.clips if "/test/" in clip.path] == ["test", "test"]
    assert manifest.classes == ("stand", "walk")


def test_subjects_above_the_classes_are_recordings(tmp_path):
    manifest = read_manifest(BY_NAME["`subject0/walk/`, `subject1/walk/`, …"].make(tmp_path))
    assert set(manifest.groups) == {"subject0", "subject1"}


def test_the_question_about_levels_is_answered_by_their_names(tmp_path):
    with pytest.raises(ManifestError, match=r"Are alice, bob the classes, or stand, walk\?"):
        read_manifest(BY_NAME["`alice/walk/`, `bob/walk/`, …"].make(tmp_path))
    assert read_manifest(tmp_path / "CLASS" / "RECORDING").classes == ("alice", "bob")
    by_recording = read_manifest(tmp_path / "RECORDING" / "CLASS")
    assert by_recording.classes == ("stand", "walk")
    assert set(by_recording.groups) == {"alice", "bob"}
    with pytest.raises(ManifestError, match="There is no"):
        read_manifest(tmp_path / "RECORDING")  # names no classes


@pytest.mark.parametrize("form", LISTS, ids=lambda form: form.name)
def test_predict_reads_lists_as_fit_does(tmp_path, form: Form):
    source = form.make(tmp_path)
    try:
        manifest = read_manifest(source)
    except ManifestError:
        with pytest.raises(ManifestError):
            _without_failures(source)
        return
    assert _without_failures(source) == [
        (c.path, c.start_seconds, c.end_seconds) for c in manifest.clips
    ]


def _without_failures(source) -> list[tuple]:
    clips = [row for row in iter_clips(source) if isinstance(row, Clip)]
    if not clips:
        raise ManifestError("no clip")
    return [(clip.path, clip.start_seconds, clip.end_seconds) for clip in clips]


@pytest.mark.parametrize(
    "name", ["Kinetics: `train.csv` beside `train/CLASS/`", "`UCF-101/` beside `ucfTrainTestlist/`"]
)
def test_predict_reads_the_lists_of_a_folder_as_fit_does(tmp_path, name):
    source = BY_NAME[name].make(tmp_path)
    assert [clip.path for clip in iter_clips(source)] == [
        c.path for c in read_manifest(source).clips
    ]


def test_predict_takes_folders_of_frames_and_passes_over_what_vidfit_wrote(tmp_path):
    for name in (
        "`img_1.jpg` and `flow_x_1.jpg` in one folder",
        "vidfit's output beside class folders",
    ):
        BY_NAME[name].make(tmp_path)
    found = {clip.path.removeprefix(f"{tmp_path}/") for clip in iter_clips(tmp_path)}
    assert {"walk/a", "walk/b", "stand/stand-a.mp4"} <= found
    assert not any(path.startswith("out") for path in found)
