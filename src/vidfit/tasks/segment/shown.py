"""What the page of a fit shows of masks: figures by class, mistakes, and pictures beside them.

Shape letters: M pictures, C classes, G recordings, R draws.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from vidfit.contracts import Clip, Floats
from vidfit.labels.kind import Doubles
from vidfit.metrics.areas import (
    LabelledMask,
    Labels,
    cells_of,
    confusion_of_picture,
    intersections_over_unions,
    pixels_of,
)
from vidfit.metrics.measures import mean_of_known
from vidfit.metrics.resampled import draws, expanded, numbered
from vidfit.reported import Scene, TaskPart
from vidfit.tasks.segment.colours import coloured
from vidfit.tasks.task import Judged

SHOWN = 4
"""Of the worst and of the best pictures."""

_HEIGHT_PIXELS = 180
_DASH = "\N{EN DASH}"
_WHOLE = (0.0, 0.0, 1.0, 1.0)


def shown_masks(truth: Any, answers_MK: Floats, judged: Judged) -> TaskPart:  # noqa: ANN401
    """Return the part of the page."""
    found = [confusion_of_picture(*pair) for pair in zip(truth, answers_MK, strict=True)]
    confusion_MCC = np.stack(found)
    total_CC = confusion_MCC.sum(axis=0)
    each_M = mean_of_known(intersections_over_unions(confusion_MCC))
    order = [int(m) for m in np.argsort(each_M) if np.isfinite(each_M[m])]
    worst, best = order[:SHOWN], order[::-1][: min(SHOWN, max(len(order) - SHOWN, 0))]

    def scene(m: int) -> Scene:
        return _scene(judged.clips[m], truth[m], answers_MK[m], float(each_M[m]))

    scenes = [
        (name, tuple(map(scene, of)))
        for name, of in (("Worst pictures", worst), ("Best pictures", best))
        if of
    ]
    return TaskPart(
        "What it finds, by class",
        "Intersection over union (IoU) of the pixels of a class: those that truly are of it and "
        "are answered so, among those that are one or the other; intervals are over recordings. "
        "The mean over classes is the figure of the model.",
        ("class", "pixels, %", "IoU, %", "[95 %]", "recall, %", "precision, %", "taken for"),
        _rows(confusion_MCC, total_CC, judged),
        scenes=tuple(scenes),
        confusion_KK=_shares(total_CC),
        confused="pixels",
    )


def _rows(confusion_MCC: Doubles, total_CC: Doubles, judged: Judged) -> tuple[tuple[str, ...], ...]:
    """Return a row for each class, the worst first; those without a pixel last."""
    ious_C = intersections_over_unions(total_CC[None])[0]
    intervals = _intervals(confusion_MCC, judged.groups)
    rows = []
    for c in np.argsort(np.where(np.isfinite(ious_C), ious_C, 2.0), kind="stable"):
        true, said, both = total_CC[c].sum(), total_CC[:, c].sum(), total_CC[c, c]
        low, high = intervals[c]
        between = f"[{_percent(low)}, {_percent(high)}]" if np.isfinite(low) else _DASH
        rows.append(
            (
                judged.classes[c], _percent(true / max(total_CC.sum(), 1)), _percent(ious_C[c]),
                between, _percent(both / true if true else np.nan),
                _percent(both / said if said else np.nan), _taken(total_CC[c], int(c), judged),
            )
        )  # fmt: skip
    return tuple(rows)


def _shares(total_CC: Doubles) -> tuple[tuple[float, ...], ...]:
    """Return the shares of the true pixels of each class by answered class."""
    share_CC = total_CC / np.maximum(total_CC.sum(axis=1, keepdims=True), 1.0)
    return tuple(tuple(float(share) for share in row_C) for row_C in share_CC)


def _intervals(confusion_MCC: Doubles, groups: Sequence[str]) -> list[tuple[float, float]]:
    """Return the ends of the interval of each class, by drawing recordings again."""
    group_M, count = numbered(groups)
    classes = confusion_MCC.shape[1]
    if count < 2:
        return [(np.nan, np.nan)] * classes
    sums_GCC = np.zeros((count, classes, classes))
    np.add.at(sums_GCC, group_M, confusion_MCC)
    drawn = [
        intersections_over_unions(
            (w_RG @ sums_GCC.reshape(count, -1)).reshape(-1, classes, classes)
        )
        for w_RG in draws(count, 0, 1000)
    ]
    drawn_RC = np.concatenate(drawn)
    ends = []
    for c in range(classes):
        known_R = drawn_RC[np.isfinite(drawn_RC[:, c]), c]
        one = expanded(0.0, known_R, count) if len(known_R) else None
        ends.append((one.low, one.high) if one else (np.nan, np.nan))
    return ends


def _taken(row_C: Doubles, own: int, judged: Judged) -> str:
    """Say what the pixels of a class are mostly taken for."""
    wrong_C = row_C.copy()
    wrong_C[own] = 0
    if not wrong_C.any():
        return _DASH
    other = int(wrong_C.argmax())
    return f"{judged.classes[other]} {wrong_C[other] / row_C.sum():.0%}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if np.isfinite(value) else _DASH


def _scene(clip: Clip, mask: LabelledMask, answer_K: Floats, figure: float) -> Scene:
    """Return a picture with the truth and the answer to show beside it."""
    labels_YX = mask.labels()
    answer_YX = pixels_of(cells_of(answer_K), labels_YX.shape)
    panels = tuple(_png(one, mask.classes) for one in (labels_YX, answer_YX))
    note = clip.path.rpartition("/")[2]
    title = f"mean IoU {figure:.0%}: picture, truth, answer"
    return Scene(clip, title, note, _WHOLE, (), panels)


def _png(labels_YX: Labels, classes: int) -> str:
    """Return classes in colours as a small PNG in base64."""
    import cv2

    step = max(1, labels_YX.shape[0] // _HEIGHT_PIXELS)
    small = coloured(labels_YX[::step, ::step], classes)
    return base64.b64encode(cv2.imencode(".png", small[..., ::-1])[1].tobytes()).decode()
