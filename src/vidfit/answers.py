"""Answers to a video over time: windows as they were asked, segments as they were joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from vidfit.contracts import Failure, Floats, Note

Why = Literal["", "low confidence", "unlike anything seen"]
"""Why a model declined; empty where it did not. The second goes before the first."""


Heat = tuple[bytes, ...]
"""How far each place of a picture lies from what is usual, in whole deviations: a byte a place."""

_HOTTEST = 255


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a video with one answer; probability is the mean over its windows.

    ``label`` is the class that was answered. It is ``None`` where the model ``declined``:
    probability is then that of the class that was the most probable, ``why`` says why, and
    ``scores`` are the probabilities of all classes, in their order; and where the stretch could
    not be read: probability is then 0. Stretches that were answered with one class carry
    ``scores`` only where windows were answered in the light of one another.

    Of several classes ``label`` names those that were said, as in ``car|sign``, and is empty where
    none was; ``probability`` is that of the least sure of them, or that none is there, and all
    have ``scores``. Of a number ``value`` is the number, ``label`` its text, and there is no
    probability (NaN). Of what may be unusual ``value`` is minus the decimal logarithm of the
    p-value, and ``probability`` one less the p-value; of what is unusual ``heat`` is how far each
    place of the picture lies from what is usual there, row by row, in deviations up to 255, where
    the model sees places.
    """

    start_seconds: float
    end_seconds: float
    label: str | None
    probability: float
    declined: bool = False
    why: Why = ""
    scores: tuple[float, ...] = ()
    value: float | None = None
    heat: Heat = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The answers to one video: windows as they were asked, segments as they were joined.

    ``frames_seen`` counts distinct frames that reached a network, of ``frame_count``;
    ``asked`` counts by member the windows that it was shown: a cascade shows some to a few only.
    ``failures`` names the windows that could not be read: they have no label, with
    probability 0, and were not declined. ``notes`` says what should be known of those that were
    read. ``labels`` says what is answered (`vidfit.labels`).
    """

    path: str
    duration_seconds: float
    classes: tuple[str, ...]
    windows: tuple[Segment, ...]
    segments: tuple[Segment, ...]
    frames_seen: int
    frame_count: int
    sampling: str
    asked: dict[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    labels: str = "one"


def heat_of(deviations_RC: Floats) -> Heat:
    """Return deviations [rows, columns], not negative, as whole ones up to 255."""
    return tuple(map(bytes, np.rint(deviations_RC).clip(0, _HOTTEST).astype(np.uint8)))


def deviations(heat: Heat) -> Floats:
    """Return heat as numbers [rows, columns]."""
    return np.stack([np.frombuffer(row, np.uint8) for row in heat]).astype(np.float32)
