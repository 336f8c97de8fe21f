"""Measures of labelled stretches of time: what is found of them, and what is found besides.

A recording is given by its windows. ``truth`` [M, 6] holds for each window the class of its span
(0 for background), the number of its video, its start and end in seconds, and start and end of
the span; ``answers`` [M, K] are log-probabilities, of the background first. Neighbouring windows of
one answer are a segment, as sure as their mean probability. Background is no segment.

``f1@10``, ``f1@25``, ``f1@50`` and ``edit`` are those of Lea et al. (2017), "Temporal Convolutional
Networks for Action Segmentation and Detection", ``map`` is mean average precision as in
ActivityNet (Caba Heilbron et al. 2015), over overlaps of 0.3 to 0.7, and of 0.5 to 0.95.

Shape letters: M windows, K answers, S spans, R draws of recordings, X sums, N rows, G recordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.metrics.measures import AnyMeasure, Doubles, Range, RankedScores, mean_of_known, ratio

BACKGROUND = 0
CLASS, VIDEO, START, END, SPAN_START, SPAN_END = range(6)
"""Columns of the truth."""

MAP_OVERLAPS = (0.3, 0.4, 0.5, 0.6, 0.7)
STRICT_OVERLAPS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

_TOUCHING_SECONDS = 1e-3


@dataclass(frozen=True)
class Spans:
    """Stretches of time of one video, in order: class, start, end, and how sure each is, [S]."""

    label_S: NDArray[np.int64]
    start_S: Doubles
    end_S: Doubles
    sure_S: Doubles

    def of(self, label: int) -> Spans:
        """Return the spans of a class."""
        kept = self.label_S == label
        return Spans(self.label_S[kept], self.start_S[kept], self.end_S[kept], self.sure_S[kept])


def videos_of(truth: Doubles, answers: Doubles) -> Iterator[tuple[Spans, Spans]]:
    """Yield true and answered spans of each video of a recording."""
    for video in np.unique(truth[:, VIDEO]):
        rows = np.flatnonzero(truth[:, VIDEO] == video)
        rows = rows[np.argsort(truth[rows, START], kind="stable")]
        yield true_spans(truth[rows]), answered_spans(truth[rows], answers[rows])


def true_spans(truth: Doubles) -> Spans:
    """Return the spans that windows of one video, in order of time, belong to."""
    shown = truth[truth[:, CLASS] != BACKGROUND]
    each = np.unique(shown[:, [SPAN_START, SPAN_END, CLASS]], axis=0)
    return Spans(each[:, 2].astype(np.int64), each[:, 0], each[:, 1], np.ones(len(each)))


def answered_spans(truth: Doubles, answers: Doubles) -> Spans:
    """Return the segments that answers to windows of one video, in order of time, make."""
    said_M = answers.argmax(axis=1)
    apart_M = truth[1:, START] - truth[:-1, END] > _TOUCHING_SECONDS
    first = np.flatnonzero(np.concatenate([[True], (said_M[1:] != said_M[:-1]) | apart_M]))
    after = np.append(first[1:], len(said_M))
    sure_M = np.exp(answers[np.arange(len(said_M)), said_M])
    sure = np.array([sure_M[a:b].mean() for a, b in zip(first, after, strict=True)])
    kept = said_M[first] != BACKGROUND
    return Spans(
        said_M[first][kept].astype(np.int64),
        truth[first, START][kept],
        truth[after - 1, END][kept],
        sure[kept],
    )


def overlaps(found: Spans, true: Spans) -> Doubles:
    """Return intersection over union in time of each found span with each true one."""
    both = np.minimum(found.end_S[:, None], true.end_S) - np.maximum(
        found.start_S[:, None], true.start_S
    )
    all_ = np.maximum(found.end_S[:, None], true.end_S) - np.minimum(
        found.start_S[:, None], true.start_S
    )
    shares: Doubles = np.clip(both, 0.0, None) / np.maximum(all_, 1e-12)
    return shares


@dataclass(frozen=True)
class SegmentF1:
    """F1 of segments that overlap a true one of their class by a share; each is found once."""

    name: str
    least: float
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return segments that are right, wrong, and spans that were missed."""
        total = np.zeros(3)
        for true, found in videos_of(truth, answers):
            right = matched(found, true, self.least).sum()
            total += right, len(found.label_S) - right, len(true.label_S) - right
        return total

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the harmonic mean of precision and recall."""
        right_R, wrong_R, missed_R = sums_RX.T
        return ratio(2 * right_R, 2 * right_R + wrong_R + missed_R)


def matched(found: Spans, true: Spans, least: float) -> NDArray[np.bool_]:
    """Return which found spans, in order, overlap a true one of their class that is still free."""
    share_FS = np.where(found.label_S[:, None] == true.label_S, overlaps(found, true), 0.0)
    free_S = np.ones(len(true.label_S), np.bool_)
    hit_F = np.zeros(len(found.label_S), np.bool_)
    for f, share_S in enumerate(share_FS):
        best = int(share_S.argmax()) if len(share_S) else -1
        if best >= 0 and share_S[best] >= least and free_S[best]:
            hit_F[f], free_S[best] = True, False
    return hit_F


@dataclass(frozen=True)
class Edit:
    """The mean over videos of one less the edit distance of the orders of classes, normalised."""

    name: str = "edit"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return the sum over videos, and their number."""
        each = [
            1.0 - edit_distance(found.label_S, true.label_S)
            / max(len(found.label_S), len(true.label_S), 1)
            for true, found in videos_of(truth, answers)
        ]  # fmt: skip
        return np.array([sum(each), float(len(each))])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the mean."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


def edit_distance(first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    """Return how many insertions, deletions and exchanges make one order of the other."""
    row = np.arange(len(second) + 1)
    for i, label in enumerate(first, 1):
        cost = row[:-1] + (second != label)
        best = np.minimum(cost, row[1:] + 1)
        row = np.empty_like(row)
        row[0] = i
        for j, value in enumerate(best, 1):
            row[j] = min(value, row[j - 1] + 1)
    return int(row[-1])


@dataclass(frozen=True)
class TimeRight:
    """The share of the time that is answered rightly, background included (frame accuracy)."""

    name: str = "time-right"
    kind: Range = "bounded"
    higher_is_better: bool = True

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return seconds that are right, and all."""
        right_M = answers.argmax(axis=1) == truth[:, CLASS]
        seconds_M = truth[:, END] - truth[:, START]
        return np.array([float(seconds_M @ right_M), float(seconds_M.sum())])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return the share."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class AnHour:
    """How many of what `SegmentF1.sums` counts there are in an hour.

    Parameters
    ----------
    which
        1 for segments that overlap no true one of their class by half, 2 for spans that are missed.
    """

    name: str
    which: int
    kind: Range = "unbounded"
    higher_is_better: bool = False

    def sums(self, truth: Any, answers: Any) -> Doubles:  # noqa: ANN401
        """Return their number, and hours."""
        count = SegmentF1("", 0.5).sums(truth, answers)[self.which]
        return np.array([count, float((truth[:, END] - truth[:, START]).sum()) / 3600])

    def figure(self, sums_RX: Doubles) -> Doubles:
        """Return how many an hour."""
        return ratio(sums_RX[:, 0], sums_RX[:, 1])


@dataclass(frozen=True)
class SegmentMap:
    """Mean over classes, and over overlaps, of the interpolated average precision of segments.

    A row stands for a segment at one overlap and class: its score, and whether it is a hit. A span
    that no segment hits is a hit with the score minus infinity, so that recall counts it.
    """

    name: str = "map"
    over: tuple[float, ...] = MAP_OVERLAPS
    kind: Range = "bounded"
    higher_is_better: bool = True

    def rows(self, truth: Any, answers: Any) -> tuple[Doubles, NDArray[np.bool_]]:  # noqa: ANN401
        """Return scores, class and overlap of each row [N, 3], and hits."""
        parts = [
            self._rows(true.of(label), found.of(label), label, which)
            for true, found in videos_of(truth, answers)
            for label in range(1, answers.shape[1])
            for which in range(len(self.over))
        ]
        both_N4 = np.concatenate([np.zeros((0, 4)), *parts])
        hits_N3 = np.repeat(both_N4[:, 3:] > 0, 3, axis=1)
        return both_N4[:, :3], hits_N3

    def _rows(self, true: Spans, found: Spans, label: int, which: int) -> Doubles:
        order = np.argsort(-found.sure_S, kind="stable")
        sure_first = Spans(*(part[order] for part in vars(found).values()))
        hit_F = first_to_last(sure_first, true, self.over[which])
        missed = len(true.label_S) - int(hit_F.sum())
        score = np.concatenate([sure_first.sure_S, np.full(missed, -np.inf)])
        hit = np.concatenate([hit_F, np.ones(missed, np.bool_)])
        return np.column_stack([score, np.full((len(score), 2), (label, which)), hit])

    def figure(self, rows: RankedScores, weight_RG: Doubles) -> Doubles:
        """Return the mean [R] over the classes that have a span."""
        kept = []
        for label in np.unique(rows.score_NK[:, 1]):
            of_class = rows.score_NK[:, 1] == label
            each = [
                _average_precision(rows, of_class & (rows.score_NK[:, 2] == which), weight_RG)
                for which in range(len(self.over))
            ]
            kept.append(np.mean(each, axis=0))
        if not kept:
            return np.full(len(weight_RG), np.nan)
        return mean_of_known(np.stack(kept, axis=1))


def first_to_last(found: Spans, true: Spans, least: float) -> NDArray[np.bool_]:
    """Return which segments, surest first, hit the free true span that they overlap most."""
    share_FS = overlaps(found, true)
    free_S = np.ones(len(true.label_S), np.bool_)
    hit_F = np.zeros(len(found.label_S), np.bool_)
    for f, share_S in enumerate(share_FS):
        for best in np.argsort(-share_S, kind="stable"):
            if share_S[best] < least:
                break
            if free_S[best]:
                hit_F[f], free_S[best] = True, False
                break
    return hit_F


def _average_precision(
    rows: RankedScores, which_N: NDArray[np.bool_], weight_RG: Doubles
) -> Doubles:
    """Return the area under precision made monotone, over recall, [R]; NaN without a span."""
    score_N, hit_N = rows.score_NK[which_N, 0], rows.hit_NK[which_N, 0]
    order = np.argsort(-score_N, kind="stable")
    weight_RN = weight_RG[:, rows.recording_N[which_N][order]]
    hit_N, seen_N = hit_N[order], np.isfinite(score_N[order])
    spans_R = (weight_RN * hit_N).sum(axis=1)
    right_RN = np.cumsum(weight_RN * (hit_N & seen_N), axis=1)
    all_RN = np.cumsum(weight_RN * seen_N, axis=1)
    precision_RN = np.where(all_RN > 0, right_RN / np.maximum(all_RN, 1e-12), 0.0)
    monotone_RN = np.maximum.accumulate(precision_RN[:, ::-1], axis=1)[:, ::-1]
    gained_RN = weight_RN * (hit_N & seen_N)
    return ratio((gained_RN * monotone_RN).sum(axis=1), spans_R)


SEGMENT_MEASURES: dict[str, AnyMeasure] = {
    measure.name: measure
    for measure in (
        SegmentF1("f1@50", 0.5), SegmentF1("f1@25", 0.25), SegmentF1("f1@10", 0.1),
        SegmentMap(), SegmentMap("map@50-95", STRICT_OVERLAPS), Edit(), TimeRight(),
        AnHour("false-alarms", 1), AnHour("missed", 2),
    )
}  # fmt: skip
"""By name, what may decide where spans are looked for."""
