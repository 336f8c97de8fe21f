"""What answers to windows say of unusual events in long videos.

The truth is [M, 7], a row a window: that of `vidfit.metrics.segments` (class 1 where something
unusual happens, else 0; video; start and end in seconds; start and end of the event), and whether
it is of a recording that is normal throughout. An answer [M, 1] is how unusual a window is; above
0 it is an alarm. Scores are compared as they are: scaled to each video's own least and largest,
as is often done, they tell of the test set what no alarm can know.

Shape letters: M windows, R draws of recordings, X sums, N rows, G recordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics.class_measures import AUROC
from vidfit.metrics.measures import (
    AnyMeasure,
    Doubles,
    Range,
    RankedScores,
    ratio,
)
from vidfit.metrics.segments import CLASS, END, START, Spans, videos_of

NORMAL = 6
"""Column of the truth: whether the recording is normal throughout."""


@dataclass(frozen=True)
class MicroAuc:
    """How often an unusual window scores above a usual one, of all videos together."""

    name: str = "micro-auc"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return the scores, and which windows are unusual."""
        return np.asarray(answers[:, :1], np.float64), truth[:, [CLASS]] > 0

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the area [R] under the ROC curve."""
        return AUROC.figure(rows, weight_RG)


@dataclass(frozen=True)
class MacroAuc(MicroAuc):
    """The mean over recordings, of those that have windows of both kinds."""

    name: str = "macro-auc"

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the weighted mean [R] of the areas of recordings."""
        area_G = np.full(weight_RG.shape[1], np.nan)
        for g in np.unique(rows.recording_N):
            of = rows.recording_N == g
            own = RankedScores(rows.score_NK[of], rows.hit_NK[of], np.zeros(of.sum(), np.int64))
            area_G[g] = AUROC.figure(own, np.ones((1, 1)))[0]
        known_G = np.isfinite(area_G)
        weight_RG = weight_RG[:, known_G]
        return ratio(weight_RG @ area_G[known_G], weight_RG.sum(axis=1))


@dataclass(frozen=True)
class AlarmsAnHour:
    """False alarms an hour: runs of windows above the threshold that touch no event."""

    name: str = "alarms-an-hour"
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return false alarms, and hours without an event."""
        wrong = sum(
            int((~_touching(alarms, events).any(axis=1)).sum())
            for events, alarms in _alarms(truth, answers)
        )
        usual = truth[truth[:, CLASS] == 0]
        return np.array([float(wrong), float((usual[:, END] - usual[:, START]).sum()) / 3600])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return false alarms an hour."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class EventsFound:
    """The share of the events in which there is an alarm."""

    name: str = "events-found"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return events with an alarm, and events."""
        total = np.zeros(2)
        for events, alarms in _alarms(truth, answers):
            total += _touching(alarms, events).any(axis=0).sum(), len(events.start_S)
        return total

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class Delay:
    """Mean seconds from the start of an event to its alarm; to its end where there is none."""

    name: str = "delay"
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return seconds, and events."""
        total = np.zeros(2)
        for events, alarms in _alarms(truth, answers):
            begins = np.maximum(alarms.start_S[:, None], events.start_S)
            first = np.where(_touching(alarms, events), begins, np.inf).min(axis=0, initial=np.inf)
            total += (np.minimum(first, events.end_S) - events.start_S).sum(), len(events.start_S)
        return total

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


def _alarms(truth: Any, answers: Any) -> Iterator[tuple[Spans, Spans]]:  # noqa: ANN401
    """Yield events and alarms of each video."""
    of_class_M2 = np.column_stack([np.zeros(len(answers)), answers[:, 0]])
    return videos_of(truth, of_class_M2)


def _touching(alarms: Spans, events: Spans) -> NDArray[np.bool_]:
    """Return which alarms have time in common with which events."""
    later = np.maximum(alarms.start_S[:, None], events.start_S)
    earlier = np.minimum(alarms.end_S[:, None], events.end_S)
    return np.asarray(later < earlier)


ALARMS_AN_HOUR = AlarmsAnHour()

UNUSUAL_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure
    for measure in (MicroAuc(), MacroAuc(), ALARMS_AN_HOUR, EventsFound(), Delay())
}
"""By name, what may decide where something unusual is looked for."""
