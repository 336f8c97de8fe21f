"""Which cells hold an object, what is lost, and that training finds what frames show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit.backbones.nanodet import SIDE_PIXELS, cells, nanodet
from vidfit.backbones.nanodet_head import CELLS
from vidfit.backbones.package_weights import is_fetched
from vidfit.boxes import overlaps
from vidfit.metrics.boxes import CLASS, COLUMNS, EDGES, SIZE
from vidfit.tasks.detect import head_training
from vidfit.tasks.detect.head_training import TaughtFrame, assigned, edges_of, loss_of, train_head

MIDDLE_P2, STRIDE_P1 = (part.numpy() for part in cells())


def test_cells_within_an_object_hold_it_and_the_smallest_object_has_one():
    boxes = np.array([[40.0, 40, 104, 120], [300, 300, 303, 302], [10, 200, 400, 410]])
    object_P = assigned(boxes)
    assert set(object_P.tolist()) == {-1, 0, 1, 2}
    for s in (0, 2):
        x, y = MIDDLE_P2[object_P == s].T
        assert (x > boxes[s, 0]).all() and (x < boxes[s, 2]).all()
        assert (y > boxes[s, 1]).all() and (y < boxes[s, 3]).all()
    assert (object_P == 1).sum() == 1 and STRIDE_P1[object_P == 2].min() == 32
    assert (assigned(np.zeros((0, 4))) == -1).all()


def test_a_sure_and_right_answer_loses_next_to_nothing():
    cells_N, true_N4 = torch.tensor([5, 2000]), torch.zeros(2, 4)
    middle = torch.from_numpy(MIDDLE_P2[cells_N]).float()
    true_N4[:, :2], true_N4[:, 2:] = middle - 16, middle + 24  # two and three strides of 8
    bins_NX = torch.full((2, 4, 11), -20.0)
    bins_NX[:, :2, 2] = bins_NX[:, 2:, 3] = 20.0
    assert torch.allclose(edges_of(bins_NX.flatten(1), cells_N), true_N4, atol=1e-3)
    truth = torch.tensor([1, -1]), true_N4
    right = loss_of(torch.tensor([[-9.0, 9], [-9, -9]]), bins_NX.flatten(1), cells_N, truth)
    wrong = loss_of(torch.tensor([[9.0, -9], [-9, -9]]), bins_NX.flatten(1), cells_N, truth)
    assert right < 1e-3 < 1 < wrong


@pytest.mark.skipif(not is_fetched("nanodet"), reason="needs `vidfit models --fetch nanodet`")
def test_squares_that_the_detector_does_not_know_are_found(monkeypatch):
    monkeypatch.setattr(head_training, "STEPS", 30)
    monkeypatch.setattr(head_training, "BATCH", 4)
    network, rng = nanodet().candidates.network, np.random.default_rng(0)
    frames, truths, pyramids = [], [], []
    for _ in range(9):
        picture = rng.integers(90, 110, (SIDE_PIXELS, SIDE_PIXELS, 3)).astype(np.uint8)
        left, top = rng.integers(20, 320, 2)
        picture[top : top + 60, left : left + 60] = (230, 40, 40)
        with torch.inference_mode():
            found_PD = network(torch.from_numpy(picture)[None, None])[0].numpy()
        truth = np.zeros((1, COLUMNS))
        truth[0, CLASS], truth[0, SIZE] = 0, SIDE_PIXELS
        truth[0, EDGES] = np.array([left, top, left + 60, top + 60]) / SIDE_PIXELS
        pyramids.append(found_PD[:, 84:].astype(np.float16))
        own_P = found_PD[:, 4:84].max(axis=1).astype(np.float16)
        frames.append(TaughtFrame.of(pyramids[-1], own_P, truth))
        truths.append(truth[0, EDGES])
    head = train_head(frames[:8], network, 1)
    with torch.inference_mode():
        logit_1PK, bins_1PX = head(torch.from_numpy(pyramids[8].astype(np.float32))[None])
    best = int(logit_1PK[0, :, 0].argmax())
    edges = edges_of(bins_1PX[0], torch.arange(CELLS))[best].numpy() / SIDE_PIXELS
    assert overlaps(edges[None].astype(float), truths[8][None])[0, 0] > 0.7
