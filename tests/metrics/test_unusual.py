"""Areas of raw scores, alarms, events and delays, held against counts by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vidfit.metrics import score_all
from vidfit.metrics.unusual import UNUSUAL_MEASURES, MicroAuc

QUIET, LOUD = -1.0, 1.0


def windows(unusual, answers, video=0, normal=False):
    """Return truth and answers of one-second windows; events are runs of ones."""
    rows, start = [], 0
    for i, one in enumerate(unusual):
        start = start if one and i and unusual[i - 1] else i
        end = next((j for j in range(i, len(unusual)) if not unusual[j]), len(unusual))
        rows.append((one, video, i, i + 1, start if one else 0, end if one else 0, normal))
    return np.array(rows, float), np.array(answers, np.float32)[:, None]


def figure(name, truth, answers, groups=None):
    groups = groups or ["r"] * len(truth)
    return score_all(UNUSUAL_MEASURES[name], truth, [answers], groups).figures_C[0]


def test_alarms_events_and_delay_are_counted():
    truth, answers = windows(
        [0, 0, 0, 1, 1, 1, 0, 0, 1, 1],
        [LOUD, LOUD] + [QUIET] * 2 + [LOUD] * 3 + [QUIET] * 3,
    )
    assert figure("alarms-an-hour", truth, answers) == pytest.approx(3600 / 5)  # one of two runs
    assert figure("events-found", truth, answers) == 0.5
    assert figure("delay", truth, answers) == pytest.approx((1 + 2) / 2)  # a second, and missed


def test_an_alarm_that_began_before_has_no_delay_and_videos_stand_apart():
    first = windows([0, 1, 1], [LOUD, LOUD, QUIET])
    other = windows([1, 0], [QUIET, LOUD], video=1)
    truth, answers = (np.concatenate(both) for both in zip(first, other, strict=True))
    assert figure("delay", truth, answers) == pytest.approx((0 + 1) / 2)
    assert figure("alarms-an-hour", truth, answers) == pytest.approx(3600 / 2)


def test_areas_are_those_of_raw_scores(rng):
    truth, answers = windows(rng.integers(0, 2, 60), rng.normal(size=60))
    groups = ["a"] * 30 + ["b"] * 30
    truth[30:, 1] = 1
    answers[30:] += 3  # another scale in the other recording
    micro = roc_auc_score(truth[:, 0], answers[:, 0])
    each = [roc_auc_score(truth[s, 0], answers[s, 0]) for s in (slice(30), slice(30, None))]
    assert figure("micro-auc", truth, answers, groups) == pytest.approx(micro)
    assert figure("macro-auc", truth, answers, groups) == pytest.approx(np.mean(each))
    assert micro < np.mean(each)


def test_without_an_event_there_is_no_area(rng):
    truth, answers = windows([0] * 5, rng.normal(size=5))
    for name in ("micro-auc", "macro-auc", "events-found", "delay"):
        assert np.isnan(figure(name, truth, answers))
    assert np.isfinite(figure("alarms-an-hour", truth, answers))
    assert MicroAuc().higher_is_better
