"""Boxes scored again, kept as they are, or weighed together; by recordings that were not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from vidfit.contracts import Clip
from vidfit.errors import BackboneError
from vidfit.metrics import score_all
from vidfit.metrics.boxes import ANSWERED, ANSWERS, AP50, NUMBERS, SCORE
from vidfit.tasks import task_named
from vidfit.tasks.detect.head import ABSENT, took
from vidfit.tasks.detect.kind import KIND, boxes_of
from vidfit.tasks.detect.labels import name_number
from vidfit.tasks.detect.learner import ScoredAgain, from_classes
from vidfit.tasks.detect.picked import picked
from vidfit.tasks.detect.seen import BOXES_APART
from vidfit.tasks.detect.shown import shown_boxes
from vidfit.tasks.detect.told import told_boxes
from vidfit.tasks.detect.weighted import weighted_boxes

CLASSES = ("bird", "drone")


@dataclass(frozen=True)
class _Judged:
    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    groups: list[str]


@pytest.fixture(scope="module")
def frames():
    """Return 60 frames of six recordings, what is true, and what a detector saw."""
    rng = np.random.default_rng(0)
    labels = [
        f"100x100 {rng.choice(CLASSES)} {x:.3f} {y:.3f} {x + 0.06:.3f} {y + 0.08:.3f}"
        for x, y in rng.uniform(0, 0.9, (60, 2))
    ]
    clips = tuple(Clip(f"{i}.jpg", label=one, group=f"r{i % 6}") for i, one in enumerate(labels))
    truth = KIND.truth(clips, CLASSES)
    return clips, truth, told_boxes(truth), np.arange(60) % 6 % 3


def test_what_boxes_look_like_is_learned_and_the_detector_kept_where_that_is_better(frames):
    clips, truth, vectors_MD, folds_M = frames
    head, out_MK = ScoredAgain().fit(vectors_MD, truth, folds_M)
    as_is_MK = ScoredAgain(penalties=()).tried(vectors_MD, truth, folds_M)[0]
    groups = [clip.recording for clip in clips]
    scored = score_all(AP50, truth, [out_MK, as_is_MK], groups)
    assert scored.figures_C[0] > 0.7 and scored.figures_C[1] == 0.0  # no class has these names
    assert head.members[0].again_1[0] == 1 and took(head).startswith("Scored again: ")
    # A detector that knows the names and scores objects highest is left as it is.
    rows_MND = vectors_MD.reshape(60, ANSWERS + 1, -1).copy()
    rows_MND[:, 0, 1:3] = [name_number(name) for name in CLASSES]
    rows_MND[:, 1:, 4:7] = 0.0
    rows_MND[np.arange(60), 1, 4 + truth[:, 0, 0].astype(int)] = 0.9
    rows_MND[:, 1, :4] = truth[:, 0, 1:5]
    sure_MD = rows_MND.reshape(60, -1)
    head, out_MK = ScoredAgain().fit(sure_MD, truth, folds_M)
    assert took(head).startswith("Taken as it is: ") and head.members[0].from_K.tolist() == [0, 1]
    assert score_all(AP50, truth, [out_MK], groups).figures_C[0] > 0.95


def test_classes_of_the_detector_are_found_by_name(frames):
    truth = frames[1]
    names = np.array([name_number(name) for name in ("cat", "bird")], np.float32)
    assert from_classes(truth, names).tolist() == [1, ABSENT]


def test_frames_without_boxes_and_of_one_class_are_no_traceback(frames):
    _, truth, vectors_MD, folds_M = frames
    nothing_MD = vectors_MD.reshape(60, ANSWERS + 1, -1).copy()
    nothing_MD[:, 1:] = 0.0
    head, out_MK = ScoredAgain().fit(nothing_MD.reshape(60, -1), truth, folds_M)
    assert not out_MK.any() and np.isfinite(head.novelty([nothing_MD.reshape(60, -1)])).all()
    one = truth[truth[:, 0, 0] == 0]
    _, out_MK = ScoredAgain().fit(vectors_MD[truth[:, 0, 0] == 0], one, np.arange(len(one)) % 3)
    assert KIND.losses(out_MK, one).shape == (len(one),)


def test_overlapping_boxes_of_a_class_are_one():
    edges = np.array([[[0, 0, 0.4, 0.4], [0.02, 0, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9]]], np.float32)
    scores = np.array([[[0.9, 0.0], [0.8, 0.7], [0.1, 0.2]]], np.float32)
    found = picked(edges, scores).reshape(ANSWERS, NUMBERS)
    assert found[:, SCORE][found[:, SCORE] > 0] == pytest.approx([0.9, 0.7, 0.2, 0.1])
    assert found[:4, ANSWERED].tolist() == [0, 1, 1, 0]
    assert [box.label for box in boxes_of(found.ravel(), CLASSES, 0.5)] == ["bird", "drone"]


def test_boxes_of_two_detectors_are_weighed():
    first, other = np.zeros((2, 1, ANSWERS, NUMBERS), np.float32)
    first[0, 0] = 0.1, 0.1, 0.5, 0.5, 0.9, 1
    other[0, 0] = 0.2, 0.1, 0.5, 0.5, 0.3, 1
    other[0, 1] = 0.7, 0.7, 0.9, 0.9, 0.8, 0
    flat = [one.reshape(1, -1) for one in (first, other)]
    found = weighted_boxes(flat).reshape(ANSWERS, NUMBERS)
    # Edges by score: (0.1 * 0.9 + 0.2 * 0.3) / 1.2; the mean score; half of it where one sees it.
    np.testing.assert_allclose(found[0], [0.125, 0.1, 0.5, 0.5, 0.6, 1], atol=1e-6)
    np.testing.assert_allclose(found[1], [0.7, 0.7, 0.9, 0.9, 0.4, 0], atol=1e-6)
    assert found[2, SCORE] == 0


def test_several_detectors_are_fitted_together(frames):
    _, truth, vectors_MD, folds_M = frames
    head, out_MK = ScoredAgain().together([vectors_MD, vectors_MD], truth, folds_M)
    again = ScoredAgain().restore(head.state(), [vectors_MD.shape[1]] * 2, 2)
    both = [vectors_MD, vectors_MD]
    np.testing.assert_array_equal(again.log_probabilities(both), head.log_probabilities(both))
    assert score_all(AP50, truth, [out_MK], ["r"] * 60).figures_C[0] > 0.7


def test_what_is_no_detector_is_refused():
    from vidfit import backbones

    with pytest.raises(BackboneError, match="motion finds no boxes; valid are detectors"):
        BOXES_APART.of(backbones.load("motion"))


def test_the_page_shows_figures_curves_and_scenes(frames):
    clips, truth, vectors_MD, folds_M = frames
    _, out_MK = ScoredAgain().fit(vectors_MD, truth, folds_M)
    part = shown_boxes(truth, out_MK, _Judged(clips, CLASSES, [c.recording for c in clips]))
    assert [row[0] for row in part.rows] == list(CLASSES) and len(part.curves) == 2
    assert "100 % are small" in part.lead and part.rows[0][-1] == "\N{EN DASH}"
    names = [name for name, _ in part.scenes]
    assert names[0] == "Found" and "False alarms" in names
    for _, scenes in part.scenes:
        for scene in scenes:
            left, top, right, bottom = scene.window
            assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1 and scene.marks
    assert task_named("detect").part is shown_boxes
    out_MK.reshape(-1, NUMBERS)[:, SCORE] *= 0.05  # what nobody would call found is missed
    part = shown_boxes(truth, out_MK, _Judged(clips, CLASSES, [c.recording for c in clips]))
    assert [name for name, _ in part.scenes] == ["Missed"]
