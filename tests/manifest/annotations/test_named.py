"""Names of files that are written."""

from __future__ import annotations

import pytest

from vidfit.boxes import LabelledFrame
from vidfit.manifest.annotations.named import names_of, picture_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["in/a.jpg", "in/b.c.jpg"], ["a", "b.c"]),
        (["x/train/a.jpg", "x/val/a.jpg"], ["train_a", "val_a"]),
        (["a.jpg", "a.png", "A.jpg"], ["a", "a_1", "A_2"]),
        (["../../etc/passwd", "/"], ["passwd", "_"]),
        (["a\x00:b?.jpg", "C:\\d\\e.jpg"], ["a_b_", "e"]),
    ],
    ids=["stems", "folders", "alike", "nothing leads out", "signs"],
)
def test_each_path_has_a_name_of_its_own(paths, names):
    assert list(names_of(paths).values()) == names


def test_long_names_fit_a_file_system():
    (name,) = names_of([f"{'ü' * 300}.jpg"]).values()
    assert len(name.encode()) <= 200


def test_frames_of_a_video_are_numbered():
    frames = [LabelledFrame("v.mp4", 12, ()), LabelledFrame("a.PNG", None, ())]
    assert [name for _, name in picture_names(frames)] == ["v_000012.jpg", "a.png"]
