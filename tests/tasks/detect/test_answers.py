"""Truth and answers of frames, as they are looked at: in pixels, with the number of the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from vidfit.contracts import Clip
from vidfit.metrics.boxes import ANSWERED, ANSWERS, NUMBERS, SCORE
from vidfit.tasks.detect.answers import box_answers
from vidfit.tasks.detect.kind import KIND
from vidfit.tasks.detect.reading import read_frames
from vidfit.video import write_video

CLASSES = ("bus", "car")


@dataclass(frozen=True)
class _Judged:
    clips: tuple[Clip, ...]
    classes: tuple[str, ...] = CLASSES
    groups: tuple[str, ...] = ()


@pytest.fixture
def clips(tmp_path):
    """Return two frames of a video: one with a car, one without anything."""
    frames = np.random.default_rng(0).integers(0, 255, (15, 48, 64, 3), dtype=np.uint8)
    write_video(tmp_path / "a.mp4", frames, 10)
    path = tmp_path / "boxes.csv"
    path.write_text("path,frame,label,x,y,w,h\na.mp4,2,car,10,10,20,12\na.mp4,9,,,,,\n")
    return read_frames(path).clips


def answers(count: int) -> np.ndarray:
    """Return answers with a car of score 0.8, and one that is not worth a look."""
    found_MNX = np.zeros((count, ANSWERS, NUMBERS), np.float32)
    for place, score in enumerate((0.8, 0.01)):
        found_MNX[:, place, :4] = 0.25, 0.25, 0.5, 0.5
        found_MNX[:, place, SCORE], found_MNX[:, place, ANSWERED] = score, 1
    return found_MNX.reshape(count, -1)


def test_each_frame_has_its_number_its_objects_and_what_was_found(clips):
    truth = KIND.truth(clips, CLASSES)
    first, second = box_answers(truth, answers(2), _Judged(clips))
    assert (first["frame"], second["frame"]) == (2, 9) and first["path"] == clips[0].path
    assert first["size_pixels"] == [64, 48] and second["objects"] == []
    (label, *edges, ignored) = first["objects"][0]
    assert (label, ignored) == ("car", 0) and edges == pytest.approx([10, 10, 30, 22], abs=0.01)
    ((label, *edges, score),) = first["found"]
    assert (label, score) == ("car", 0.8) and edges == [16.0, 12.0, 32.0, 24.0]


def test_a_frame_that_is_gone_is_left_out(clips, tmp_path):
    (tmp_path / "a.mp4").unlink()
    assert list(box_answers(KIND.truth(clips, CLASSES), answers(2), _Judged(clips))) == []
