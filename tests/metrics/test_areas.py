"""Figures of masks, held against scikit-learn and against cases that are plain to see."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import jaccard_score

from vidfit.errors import VideoError
from vidfit.metrics.areas import (
    AREA_MEASURES,
    VOID,
    LabelledMask,
    MeanIou,
    answer_of,
    cells_of,
    confused,
    edges_compared,
    pixels_of,
    shares_of_cells,
)


@pytest.fixture
def masks(tmp_path):
    rng = np.random.default_rng(0)
    found = np.empty(4, object)
    for i in range(4):
        labels = rng.integers(0, 3, (6, 8)).repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)
        labels[:3] = VOID
        Image.fromarray(labels).save(tmp_path / f"{i}.png")
        found[i] = LabelledMask(str(tmp_path / f"{i}.png"), (0, 1, 2), 3)
    return found


def test_mean_iou_is_that_of_all_pixels_together(masks):
    rng = np.random.default_rng(1)
    answers = np.stack([answer_of(np.log(rng.dirichlet(np.ones(3), (6, 8)))) for _ in masks])
    sums = MeanIou().sums(masks, answers)
    truth = np.concatenate([m.labels().ravel() for m in masks])
    said = np.concatenate([pixels_of(cells_of(a), (24, 32)).ravel() for a in answers])
    known = truth != VOID
    expected = jaccard_score(truth[known], said[known], average="macro")
    assert MeanIou().figure(sums[None])[0] == pytest.approx(expected)
    parts = MeanIou().sums(masks[:1], answers[:1]) + MeanIou().sums(masks[1:], answers[1:])
    np.testing.assert_allclose(parts, sums)


def test_log_probabilities_are_interpolated_and_masks_are_not():
    log = np.log(np.array([[[0.9, 0.1], [0.4, 0.6]]], np.float32))
    # Halfway between the two cells the first class is still ahead.
    assert pixels_of(log, (1, 8)).tolist() == [[0, 0, 0, 0, 0, 1, 1, 1]]


def test_edges_within_reach_count(masks):
    truth = np.zeros((60, 80), np.uint8)
    truth[:, 40:] = 1
    shifted, far = np.zeros_like(truth), np.zeros_like(truth)
    shifted[:, 41:], far[:, 60:] = 1, 1
    measure = AREA_MEASURES["edges"]
    near, away = (edges_compared(truth, one, 2).ravel() for one in (shifted, far))
    assert measure.figure(near[None])[0] == 1.0 and measure.figure(away[None])[0] == 0.0


def test_a_class_without_a_pixel_has_no_figure():
    truth, said = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    said[0] = 2
    sums = confused(truth, said, 3).ravel()
    assert MeanIou().figure(sums[None])[0] == pytest.approx(12 / 16)


def test_shares_of_cells_add_up_also_where_a_mask_is_smaller_than_the_grid():
    labels = np.array([[0, 1], [VOID, 1]], np.uint8)
    shares = shares_of_cells(labels, 2, (4, 4)).reshape(4, 4, 2)
    assert (shares[:2, :2, 0] == 1).all() and (shares[:, 2:, 1] == 1).all()
    assert (shares[2:, :2] == 0).all()


def test_what_is_no_mask_is_named(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"nothing")
    with pytest.raises(VideoError, match=r"mask\.png"):
        LabelledMask(str(path), (0,), 1).labels()
    Image.fromarray(np.full((2, 2), 300, np.uint16)).save(path)
    with pytest.raises(VideoError, match="numbers above 255"):
        LabelledMask(str(path), (0,), 1).labels()
