"""Average precision of boxes is that of COCO's own code, and can be drawn again by recording."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from vidfit.contracts import Estimate
from vidfit.metrics import score_all
from vidfit.metrics.boxes import (
    ANSWERS,
    AP,
    AP50,
    CLASS,
    COLUMNS,
    NOTHING,
    NUMBERS,
    OVERLAPS,
    SIZES,
    BoxPrecision,
    matched,
)

WIDTH, HEIGHT = 640, 480


def _problem(seed, frames=30, classes=4):
    """Return frames with objects and crowds, and answers near them, twice, or of nothing."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((frames, 12, COLUMNS))
    truth[:, :, CLASS] = NOTHING
    truth[:, :, 6:8] = WIDTH, HEIGHT
    answers = np.zeros((frames, ANSWERS, NUMBERS), np.float32)
    for rows, found in zip(truth, answers, strict=True):
        real = [_box(rng) for _ in range(rng.integers(0, 12))]
        for row, edges in zip(rows, real, strict=False):
            row[:6] = rng.integers(0, classes), *edges, rng.random() < 0.15
        near = [
            (
                np.sort(
                    np.clip(edges + rng.normal(0, 0.01, 4), 0, 1).reshape(2, 2), axis=0
                ).ravel(),
                k,
            )
            for edges, k in zip(real, rows[:, CLASS], strict=False)
            for _ in range(rng.integers(0, 4))
        ]
        other = [(_box(rng), rng.integers(0, classes)) for _ in range(rng.integers(0, 8))]
        for row, (edges, k) in zip(found, [*near, *other], strict=False):
            row[:] = *edges, np.round(rng.uniform(0.01, 1), 2), k  # many scores are equal
    return truth, answers


def _box(rng):
    size = rng.uniform(0.02, 0.4, 2)
    low = rng.uniform(0, 1 - size)
    return np.concatenate([low, low + size])


def _coco(truth, answers):
    """Return the figures of the field's evaluator: AP, AP50, AP75, of small, medium, large."""
    evaluator = pytest.importorskip("faster_coco_eval")
    boxes, found = [], []
    for m, (rows, answer) in enumerate(zip(truth, answers.astype(float), strict=True), 1):
        scale = rows[0, [6, 7, 6, 7]]
        for k, *edges, ignored in rows[rows[:, CLASS] != NOTHING, :6]:
            left, top, right, bottom = edges * scale
            size = right - left, bottom - top
            boxes.append(
                {"id": len(boxes) + 1, "image_id": m, "category_id": int(k),
                 "iscrowd": int(ignored), "bbox": [left, top, *size], "area": size[0] * size[1]}
            )  # fmt: skip
        for *edges, score, k in answer[answer[:, 4] > 0]:
            left, top, right, bottom = edges * scale
            bbox = [left, top, right - left, bottom - top]
            found.append({"image_id": m, "category_id": int(k), "bbox": bbox, "score": score})
    images = [{"id": m + 1, "width": WIDTH, "height": HEIGHT} for m in range(len(truth))]
    kinds = [{"id": k, "name": str(k)} for k in range(4)]
    with contextlib.redirect_stdout(io.StringIO()):
        known = evaluator.COCO({"images": images, "annotations": boxes, "categories": kinds})
        run = evaluator.COCOeval_faster(known, known.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return np.array(run.stats[:6])


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_evaluator_of_coco(seed):
    truth, answers = _problem(seed)
    measures = (AP, AP50, BoxPrecision("ap75", (0.75,)))
    measures += tuple(BoxPrecision(name, OVERLAPS, of) for name, of in SIZES.items())
    flat = answers.reshape(len(answers), -1)
    # Of equal scores the order of frames decides: one recording keeps it.
    got = [score_all(one, truth, [flat], [""] * len(flat)).figures_C[0] for one in measures]
    # One is summed in float64 as the other; only the order of the sums differs.
    np.testing.assert_allclose(got, _coco(truth, answers), atol=1e-9)


def test_recordings_can_be_drawn_again():
    truth, answers = _problem(3)
    flat = answers.reshape(len(answers), -1)
    groups = [f"r{i % 6}" for i in range(len(truth))]
    scored = score_all(AP50, truth, [flat, np.zeros_like(flat)], groups)
    weight_RG = np.array([[1, 1, 1, 1, 1, 1], [3, 3, 3, 3, 3, 3], [2, 0, 1, 1, 2, 0]])
    once, thrice, other = scored.drawn(weight_RG)[:, 0]
    assert once == pytest.approx(thrice)
    again = np.concatenate(
        [np.flatnonzero(np.array(groups) == f"r{g}") for g in (0, 0, 2, 3, 4, 4)]
    )
    # Draws move the area itself; COCO's sum at 101 recalls differs from it by a little.
    twice = score_all(AP50, truth[again], [flat[again]], [""] * len(again)).figures_C[0]
    assert other == pytest.approx(twice, abs=0.01)
    assert scored.figures_C[1] == 0 and scored.lead(0, 1).low > 0
    assert scored.interval(1) == Estimate(0, 0, 0) and scored.interval(0).low < once


def test_what_becomes_of_answers_and_objects():
    truth, answers = np.zeros((1, 3, COLUMNS)), np.zeros((ANSWERS, NUMBERS))
    truth[0, :, 6:8] = 100, 100
    truth[0, :, :6] = (0, 0.1, 0.1, 0.3, 0.3, 0), (0, 0.6, 0.6, 0.8, 0.8, 0), (0, 0, 0.9, 1, 1, 1)
    answers[0] = 0.1, 0.1, 0.3, 0.29, 0.8, 0
    answers[1] = 0.1, 0.1, 0.3, 0.3, 0.7, 0  # the same object again
    answers[2] = 0.4, 0.92, 0.5, 1.0, 0.9, 0  # in the crowd
    found = matched(truth[0], answers.ravel(), (0.5,))
    assert found.answer_D.tolist() == [2, 0, 1]
    assert found.right_TD[0].tolist() == [False, True, False]
    assert found.skipped_TD[0].tolist() == [True, False, False]
    assert found.object_O.tolist() == [0, 1] and found.missed_TO[0].tolist() == [False, True]


def test_nothing_to_find_or_nothing_found_is_no_traceback():
    truth, answers = _problem(4, frames=4)
    none = np.zeros((4, ANSWERS * NUMBERS), np.float32)
    assert score_all(AP, truth, [none], [""] * 4).figures_C[0] == 0
    truth[:, :, CLASS] = NOTHING
    assert np.isnan(score_all(AP, truth, [answers.reshape(4, -1)], [""] * 4).figures_C[0])
