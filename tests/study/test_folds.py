"""Classes that cannot be tested are named, they alone, and the others go on."""

from __future__ import annotations

import pytest

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.labels import ONE
from vidfit.manifest import Manifest
from vidfit.study.folds import able_classes, check_enough, put_aside


def clips(**recordings):
    """By class the clips of each recording: ``walk="aab"`` are two of one and one of another."""
    return [
        Clip(f"{label}{i}.mp4", label=label, group=group)
        for label, groups in recordings.items()
        for i, group in enumerate(groups)
    ]


def test_all_classes_that_recordings_allow_are_kept_without_a_word():
    notes: list[str] = []
    assert able_classes(clips(walk="aabbcc", run="aabbcc"), notes) == ("run", "walk")
    assert notes == []


def test_a_class_of_one_recording_is_left_out_and_named_alone():
    notes: list[str] = []
    some = clips(walk="aabbcc", run="abbccd", jump="ddd", sit="aabb")
    able = able_classes(some, notes)
    assert able == ("run", "sit", "walk")
    (note,) = notes
    assert "'jump' has 3 clips of 1 recording" in note
    assert not any(name in note for name in ("walk", "run", "'sit'"))
    assert {clip.label for clip in ONE.of_classes(some, able)} == set(able)


def test_a_class_with_too_few_clips_left_is_named_alone():
    notes: list[str] = []
    assert able_classes(clips(walk="aabbcc", run="aabbcc", jump="ab"), notes) == ("run", "walk")
    assert "'jump' has 2 clips of 2 recordings" in notes[0] and "walk" not in notes[0]


def test_fewer_than_two_classes_left_is_an_error_that_names_the_others():
    with pytest.raises(
        NotEnoughDataError, match=r"'jump' has 2 clips of 1 recording.*1 class of 2"
    ):
        able_classes(clips(walk="aabbcc", jump="aa"), [])


def test_one_class_is_an_error():
    with pytest.raises(NotEnoughDataError, match=r"1 class \('walk'\); two classes"):
        able_classes(clips(walk="aabb"), [])


def test_what_wants_all_classes_refuses_and_names_the_culprits_alone():
    check_enough(clips(walk="aabbcc", run="aabbcc"))
    with pytest.raises(NotEnoughDataError, match="'jump' has 1 clip of 1 recording") as found:
        check_enough(clips(walk="aabbcc", run="aabbcc", jump="a"))
    assert "walk" not in str(found.value)


def test_a_class_of_one_recording_stays_with_those_to_learn_from_and_is_named():
    notes: list[str] = []
    manifest = Manifest(tuple(clips(walk="aabbcc", run="aabbcc", jump="ddd")))
    divided = put_aside(manifest, 0.34, notes)
    tested = {clip.label for clip in divided.clips if clip.split == "test"}
    assert tested == {"walk", "run"} and len(divided.clips) == len(manifest.clips)
    (note,) = notes
    assert (
        "Not in the test set, but learned" in note and "'jump' has 3 clips of 1 recording" in note
    )
    assert "walk" not in note


def test_a_hold_out_of_one_class_is_an_error_that_names_the_others():
    manifest = Manifest(tuple(clips(walk="aabbcc", jump="ddd")))
    with pytest.raises(NotEnoughDataError, match="'jump' has 3 clips of 1 recording; two classes"):
        put_aside(manifest, 0.34, [])
