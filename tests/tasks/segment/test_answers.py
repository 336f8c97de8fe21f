"""Masks and answers as runs, which give back the same classes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vidfit.contracts import Clip
from vidfit.metrics.areas import LabelledMask, answer_of
from vidfit.tasks.segment.answers import mask_answers


@dataclass(frozen=True)
class _Judged:
    clips: tuple[Clip, ...]
    classes: tuple[str, ...] = ("sky", "road")
    groups: tuple[str, ...] = ()


def unpacked(runs, grid):
    return np.repeat(runs[1::2], runs[::2]).reshape(grid)


def test_runs_give_back_the_mask_and_the_answer(tmp_path):
    mask_YX = np.zeros((400, 60), np.uint8)
    mask_YX[200:] = 1
    mask_YX[:, :10] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask_YX)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((400, 60, 3), np.uint8))
    truth = np.empty(1, object)
    truth[0] = LabelledMask(str(tmp_path / "mask.png"), (0, 1), 2)
    log_YXC = np.log(np.full((50, 8, 2), 0.1, np.float32))
    log_YXC[..., 0] = np.log(0.9)
    answers_MK = answer_of(log_YXC)[None]
    clips = (Clip(str(tmp_path / "a.png"), label=str(tmp_path / "mask.png")),)
    (found,) = mask_answers(truth, answers_MK, _Judged(clips))
    assert found["frame"] == 0 and found["grid"] == [134, 20]  # each third place
    assert (unpacked(found["objects"], found["grid"]) == mask_YX[::3, ::3]).all()
    assert not unpacked(found["found"], found["grid"]).any()
