"""What the page of a fit shows of boxes: figures by class and size, curves, hits and mistakes.

Shape letters: M frames, N rows of a measure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.labels.kind import Doubles
from vidfit.metrics import RankedScores
from vidfit.metrics.boxes import (
    ANSWERED,
    AP,
    AP50,
    CLASS,
    EDGES,
    MEDIUM,
    NOTHING,
    NUMBERS,
    OVERLAPS,
    SCORE,
    SIZE,
    SIZES,
    SMALL,
    BoxPrecision,
    matched,
)
from vidfit.reported import Mark, RecallCurve, Scene, TaskPart
from vidfit.tasks.task import Judged

SHOWN = 6
"""Scenes of a kind."""

LEAST_SHOWN = 0.1
"""Score of a box in the pictures: tracks, too, take no box of less."""

POINTS = 60
"""Of a curve."""

_LEAST_SHARE, _MARGIN = 0.12, 3.0
_DASH = "\N{EN DASH}"


def shown_boxes(truth: Any, answers_MK: Floats, judged: Judged) -> TaskPart:  # noqa: ANN401
    """Return the part of the page."""
    classes = judged.classes
    everything = _everything(truth, answers_MK, AP50)
    scenes = _scenes(truth, _worth_a_look(answers_MK), judged)
    figures = _figures(truth, answers_MK, len(classes))
    counts = _counts(truth)
    rows = [
        (name, f"{counts.get(k, 0):,}", *(_said(figures[column].get(k)) for column in figures))
        for k, name in enumerate(classes)
    ]
    shares = _shares(truth)
    return TaskPart(
        "What it finds, by class and size",
        f"A box is right where it overlaps an object of its class by half (AP50), or by 0.5 to "
        f"0.95 (AP50:95), intersection over union; figures are in %. {shares} In the pictures "
        "true boxes are white, right answers blue-green, false alarms orange; boxes of a score "
        f"below {LEAST_SHOWN:g} are taken for none.",
        ("class", "objects", *figures),
        tuple(sorted(rows, key=lambda row: row[0])),
        tuple(
            RecallCurve(name, f"AP50 {_said(figures['AP50'].get(k))} %", _curve(everything, k))
            for k, name in enumerate(classes)
            if k in figures["AP50"]
        ),
        scenes,
    )


def _everything(truth: Any, answers_MK: Floats, measure: BoxPrecision) -> RankedScores:  # noqa: ANN401
    score_NK, hit_NK = measure.rows(truth, answers_MK)
    return RankedScores(score_NK, hit_NK, np.zeros(len(score_NK), np.int64))


def _figures(truth: Any, answers_MK: Floats, classes: int) -> dict[str, dict[int, float]]:  # noqa: ANN401
    """Return by column the average precision of each class that has objects."""
    wanted = {"AP50:95": AP, "AP50": AP50} | {
        name: BoxPrecision(name, OVERLAPS, pixels) for name, pixels in SIZES.items()
    }
    found = {}
    for name, measure in wanted.items():
        rows = _everything(truth, answers_MK, measure)
        numbers = sorted({int(k) for k in rows.score_NK[np.isneginf(rows.score_NK[:, 0]), 1]})
        values = measure.by_class(rows, np.ones((1, 1)))[0]
        found[name] = dict(zip(numbers, map(float, values), strict=True))
    return found


def _curve(rows: RankedScores, number: int) -> tuple[tuple[float, float], ...]:
    """Return recall and precision of a class, by falling score, at some of its answers."""
    of_N = rows.score_NK[:, 1] == number
    score_N, hit_NX = rows.score_NK[of_N, 0], rows.hit_NK[of_N]
    objects = int(np.isneginf(score_N).sum())
    order = np.argsort(-score_N, kind="stable")[: len(score_N) - objects]
    order = order[~hit_NX[order, 1]]
    right_N = np.cumsum(hit_NX[order, 0])
    precision_N = right_N / np.arange(1, len(order) + 1)
    places = np.flatnonzero(hit_NX[order, 0])
    if len(places) > POINTS:
        places = places[np.linspace(0, len(places) - 1, POINTS).astype(int)]
    return tuple((float(right_N[i] / objects), float(precision_N[i])) for i in places)


def _counts(truth: Doubles) -> dict[int, int]:
    numbers, counts = np.unique(truth[:, :, CLASS], return_counts=True)
    return {int(k): int(n) for k, n in zip(numbers, counts, strict=True) if k != NOTHING}


def _shares(truth: Doubles) -> str:
    """Say how large objects are."""
    rows = truth[truth[:, :, CLASS] != NOTHING]
    edges, size = rows[:, EDGES], rows[:, SIZE]
    area_N = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1]) * size.prod(axis=1)
    small, large = (area_N <= SMALL).mean(), (area_N > MEDIUM).mean()
    return (
        f"Of the objects {100 * small:.0f} % are small (up to 32 x 32 pixels) and "
        f"{100 * large:.0f} % large (more than 96 x 96)."
    )


def _worth_a_look(answers_MK: Floats) -> Floats:
    """Return answers without boxes that are so unsure that nobody would call them found."""
    boxes_MNX = answers_MK.reshape(len(answers_MK), -1, NUMBERS)
    return np.where(boxes_MNX[:, :, SCORE:ANSWERED] >= LEAST_SHOWN, boxes_MNX, 0).reshape(
        answers_MK.shape
    )


def _scenes(
    truth: Any,  # noqa: ANN401
    answers_MK: Floats,
    judged: Judged,
) -> tuple[tuple[str, tuple[Scene, ...]], ...]:
    """Return hits, missed objects and false alarms, in turn of classes and recordings."""
    found: dict[str, list[tuple[int, str, float, Scene]]] = defaultdict(list)
    for m, (frame, answer_K) in enumerate(zip(truth, answers_MK, strict=True)):
        match = matched(frame, answer_K, (0.5,))
        boxes = answer_K.reshape(-1, NUMBERS)
        wrong = np.flatnonzero(~match.right_TD[0] & ~match.skipped_TD[0])[:1]
        for d in [*np.flatnonzero(match.right_TD[0]), *wrong]:
            right, k = bool(match.right_TD[0, d]), int(match.class_D[d])
            edges, score = boxes[match.answer_D[d], :4], float(match.score_D[d])
            group = "Found" if right else "False alarms"
            title = f"{judged.classes[k]}, score {score:.2f}"
            scene = _scene(judged, m, frame, (edges, "right" if right else "wrong"), title)
            found[group].append((k, judged.groups[m], -score, scene))
        for o in np.flatnonzero(match.missed_TO[0]):
            row, k = frame[match.object_O[o]], int(match.class_O[o])
            wide, high = (row[3:5] - row[1:3]) * row[SIZE]
            title = f"{judged.classes[k]}, {wide:.0f} x {high:.0f} pixels"
            scene = _scene(judged, m, frame, (row[EDGES], "object"), title)
            found["Missed"].append((k, judged.groups[m], -sqrt(wide * high), scene))
    names = ("Found", "Missed", "False alarms")
    return tuple((name, _in_turn(found[name])) for name in names if found[name])


def _in_turn(found: Sequence[tuple[int, str, float, Scene]]) -> tuple[Scene, ...]:
    """Return the clearest scenes: of each class the first, then the second, recordings by turns."""
    seen: dict[tuple[int, str], int] = defaultdict(int)
    ranked = []
    for k, recording, order, scene in sorted(found, key=lambda one: one[2]):
        ranked.append((seen[k, recording], seen[k, ""], k, order, scene))
        seen[k, recording] += 1
        seen[k, ""] += 1
    return tuple(one[-1] for one in sorted(ranked, key=lambda one: one[:4])[:SHOWN])


def _scene(judged: Judged, place: int, frame: Doubles, shown: tuple[Any, Any], title: str) -> Scene:
    """Return a square around a box, with the objects of the frame."""
    edges, what = shown
    left, top, right, bottom = map(float, edges)
    wide, high = frame[0, SIZE]
    side = max(_MARGIN * max((right - left) * wide, (bottom - top) * high), _LEAST_SHARE * wide)
    half_x, half_y = min(side / wide, 1.0) / 2, min(side / high, 1.0) / 2
    x = min(max((left + right) / 2, half_x), 1 - half_x)
    y = min(max((top + bottom) / 2, half_y), 1 - half_y)
    rows = frame[frame[:, CLASS] != NOTHING]
    marks = [Mark(_four(row[EDGES]), "object") for row in rows]
    if what != "object":
        marks.append(Mark((left, top, right, bottom), what))
    clip = judged.clips[place]
    at = f" at {clip.start_seconds:.2f} s" if clip.end_seconds is not None else ""
    note = f"{clip.path.rpartition('/')[2]}{at}"
    return Scene(clip, title, note, (x - half_x, y - half_y, x + half_x, y + half_y), tuple(marks))


def _four(edges: Any) -> tuple[float, float, float, float]:  # noqa: ANN401
    left, top, right, bottom = map(float, edges)
    return left, top, right, bottom


def _said(value: float | None) -> str:
    return f"{100 * value:.1f}" if value is not None and isfinite(value) else _DASH
