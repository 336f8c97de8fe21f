"""Measures of segments, held against the published evaluation of MS-TCN and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.metrics import score_all
from vidfit.metrics.segments import (
    SEGMENT_MEASURES,
    SegmentF1,
    answered_spans,
    edit_distance,
    true_spans,
)

CLASSES = 3


def windows(classes, answers, seconds=1.0, video=0):
    """Windows of one video: true and answered class of each, -1 for background."""
    classes, answers = np.asarray(classes, float) + 1, np.asarray(answers) + 1
    edges = np.flatnonzero(np.diff(classes)) + 1
    first = np.concatenate([[0], edges])
    last = np.append(edges, len(classes))
    part = np.repeat(np.arange(len(first)), last - first)
    start = np.arange(len(classes)) * seconds
    truth = np.column_stack(
        [classes, np.full(len(start), video), start, start + seconds, first[part] * seconds,
         last[part] * seconds]
    )  # fmt: skip
    log = np.full((len(answers), CLASSES + 1), np.log(0.1))
    log[np.arange(len(answers)), np.asarray(answers)] = np.log(0.7)
    return truth, log


def ms_tcn_f1(said, true, overlap):
    """`f_score` of MS-TCN's eval.py (Farha and Gall 2019), frame by frame, background left out."""

    def parts(labels):
        found, begin = [], 0
        for i in range(1, len(labels) + 1):
            if i == len(labels) or labels[i] != labels[begin]:
                if labels[begin] != -1:
                    found.append((labels[begin], begin, i))
                begin = i
        return found

    p, y = parts(said), parts(true)
    tp = fp = 0
    hits = np.zeros(len(y))
    for label, begin, end in p:
        share = np.array(
            [
                max(0, min(end, e) - max(begin, b)) / (max(end, e) - min(begin, b)) * (label == k)
                for k, b, e in y
            ]
        )
        best = int(share.argmax()) if len(share) else -1
        if best >= 0 and share[best] >= overlap and not hits[best]:
            tp, hits[best] = tp + 1, 1
        else:
            fp += 1
    return tp, fp, len(y) - int(hits.sum())


@pytest.mark.parametrize("overlap", [0.1, 0.25, 0.5])
def test_f1_is_that_of_the_published_evaluation(overlap):
    rng = np.random.default_rng(0)
    for _ in range(20):
        true = np.repeat(rng.integers(-1, CLASSES, 12), rng.integers(1, 9, 12))
        said = np.where(rng.random(len(true)) < 0.3, rng.integers(-1, CLASSES, len(true)), true)
        sums = SegmentF1("", overlap).sums(*windows(true, said))
        assert tuple(sums) == ms_tcn_f1(list(said), list(true), overlap)


def test_neighbouring_windows_of_one_answer_are_a_segment_unless_time_lies_between():
    truth, answers = windows([0, 0, 1, 1, -1], [0, 0, 1, -1, -1])
    found = answered_spans(truth, answers)
    assert list(zip(found.label_S, found.start_S, found.end_S, strict=True)) == [
        (1, 0.0, 2.0), (2, 2.0, 3.0),
    ]  # fmt: skip
    assert list(true_spans(truth).end_S) == [2.0, 4.0]
    apart = answered_spans(truth[[0, 2, 3]], answers[[0, 0, 0]])
    assert list(apart.start_S) == [0.0, 2.0]


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [("abc", "abc", 0), ("abc", "ac", 1), ("", "ab", 2), ("ba", "ab", 2)],
)
def test_edit_distance_is_levenshtein(first, second, steps):
    as_numbers = [np.array([ord(x) for x in text], np.int64) for text in (first, second)]
    assert edit_distance(*as_numbers) == steps


def test_map_counts_what_is_missed_and_is_one_where_all_is_found():
    measure = SEGMENT_MEASURES["map"]
    right = windows([0, 0, -1, 1, 1], [0, 0, -1, 1, 1])
    half = windows([0, 0, -1, 1, 1], [0, 0, -1, -1, -1])
    for (truth, answers), wanted in ((right, 1.0), (half, 0.5)):
        scored = score_all(measure, truth, [answers], ["one"] * len(truth))
        assert scored.figures_C[0] == pytest.approx(wanted)


def test_figures_by_hand_and_by_recording():
    truth, answers = windows([0] * 4 + [-1] * 4, [0] * 2 + [1] * 2 + [-1] * 4)
    figures = {
        name: float(score_all(m, truth, [answers], ["a"] * 8).figures_C[0])
        for name, m in SEGMENT_MEASURES.items()
    }
    assert figures["time-right"] == pytest.approx(6 / 8)
    assert figures["f1@50"] == pytest.approx(2 / 3)  # one right, one wrong
    assert figures["edit"] == pytest.approx(1 / 2)
    assert figures["false-alarms"] == pytest.approx(1 / (8 / 3600))
    assert figures["missed"] == 0.0
    assert figures["map@50-95"] == pytest.approx(0.1)  # it overlaps by half, and by no more
