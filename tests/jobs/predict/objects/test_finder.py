"""Boxes of a frame: by a detector, or by a model that was fitted on its boxes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.jobs.predict.objects.squares import pictures, red_at, write_detector

from vidfit import backbones as zoo
from vidfit.boxes import Box
from vidfit.contracts import Clip
from vidfit.errors import ModelError
from vidfit.jobs.predict.objects.finder import boxes_in, open_finder
from vidfit.model import Model, save_model
from vidfit.tasks import task_named
from vidfit.tasks.detect.labels import FrameLabel, written


def write_model(directory, name):
    """Write a model that calls the red square ``warm``, fitted on 24 frames of four recordings."""
    task, detector = task_named("detect"), zoo.load(name)
    pool, vectors, clips = task.pooling.of(detector), [], []
    for at, picture in enumerate(pictures(24)):
        left = red_at(at) / 96
        box = Box("warm", left, 8 / 64, left + 16 / 96, 24 / 64)
        clips.append(Clip(f"{at % 4}.mp4", label=written(FrameLabel((96, 64), (box,)))))
        vectors.append(pool(detector.forward(picture[None, None])[0]))
    classes = task.kind.classes(clips)
    truth = task.kind.truth(clips, classes)
    head, _ = task.learner.fit(np.stack(vectors), truth, np.arange(24) % 4)
    model = Model(
        classes, (detector.spec.name,), task.learner.head, head.state(), 1.0, 0.0, float("inf"),
        1.0, 1.0, {}, task="detect",
    )  # fmt: skip
    save_model(model, directory, lambda _, folder: zoo.save(detector, folder))
    return str(directory)


def test_a_model_finds_what_it_was_fitted_on_and_calls_it_by_its_name(tmp_path):
    name = write_detector(tmp_path)
    finder = open_finder(write_model(tmp_path / "model", name), (name,))
    assert finder.classes == ("warm",)
    picture = list(pictures(31))[30]
    found = finder.find([picture], 192, 128)
    best = found.scores_M.argmax()
    assert found.scores_M[best] > 0.8
    left = 2 * red_at(30)
    assert np.allclose(found.edges_M4[best], (left, 16, left + 32, 48), atol=1)


def test_a_detector_finds_boxes_in_pixels_of_the_picture(tmp_path):
    finder = open_finder(write_detector(tmp_path))
    found = finder.find([list(pictures(13))[12]], 96, 64)
    assert np.allclose(found.edges_M4, [[16, 8, 32, 24], [60, 40, 76, 56]], atol=1e-4)
    assert (found.classes_M.tolist(), finder.classes) == ([0, 1], ("red", "green"))


def test_boxes_that_are_not_there_are_left_out():
    tokens_ND = np.zeros((4, 6))
    tokens_ND[2] = (0.1, 0.1, 0.3, 0.4, 0.2, 0.7)
    found = boxes_in(tokens_ND, 2)
    assert (found.scores_M.tolist(), found.classes_M.tolist()) == ([0.7], [1])


def test_a_model_of_another_task_finds_no_boxes(fitted):
    with pytest.raises(ModelError, match="answers the task 'classify'"):
        open_finder(str(fitted.model), fitted.backbones[1:])
