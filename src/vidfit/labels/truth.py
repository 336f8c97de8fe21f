"""From the labels of clips, which are texts, to arrays of truth, and back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vidfit.contracts import Clip
from vidfit.label_kinds import NUMBER, Labels, joined, names_in

NO_LABEL = -1
"""The class number of a clip without a label."""


def classes_of(clips: Sequence[Clip], labels: Labels) -> tuple[str, ...]:
    """Return the classes of labelled clips, sorted; of numbers the name of the one answer."""
    if labels == "number":
        return (NUMBER,)
    found = [clip.label for clip in clips if clip.label is not None]
    if labels == "several":
        return tuple(sorted({name for label in found for name in names_in(label)}))
    return tuple(sorted(set(found)))


def truth_of(clips: Sequence[Clip], classes: Sequence[str], labels: Labels) -> Any:  # noqa: ANN401
    """Return the truth of clips, one row a clip (see `vidfit.labels`); no class is -1."""
    if labels == "number":
        return np.array([float(str(clip.label)) for clip in clips], np.float64)
    if labels == "one":
        number = {name: k for k, name in enumerate(classes)} | {None: NO_LABEL}
        return np.array([number[clip.label] for clip in clips], np.int64)
    place = {name: k for k, name in enumerate(classes)}
    there_MK = np.zeros((len(clips), len(classes)), np.bool_)
    for row, clip in enumerate(clips):
        there_MK[row, [place[name] for name in names_in(str(clip.label)) if name in place]] = True
    return there_MK


def of_classes(
    clips: Sequence[Clip], classes: Collection[str], labels: Labels = "one"
) -> list[Clip]:
    """Return clips as if there were these classes only; those without a label stay.

    Of one class a clip those of other classes go; of several, their names do.
    """
    if labels == "number":
        return list(clips)
    if labels == "one":
        return [clip for clip in clips if clip.label is None or clip.label in classes]
    return [
        clip
        if clip.label is None
        else replace(clip, label=joined(n for n in names_in(clip.label) if n in classes))
        for clip in clips
    ]


def text_of(truth: Any, classes: Sequence[str]) -> str:  # noqa: ANN401
    """Return what is true of one clip, or answered to it, as the text of a label."""
    if np.ndim(truth) == 1:
        return joined(classes[int(k)] for k in np.flatnonzero(truth))
    return classes[int(truth)] if isinstance(truth, np.integer | int) else f"{float(truth):.4g}"
