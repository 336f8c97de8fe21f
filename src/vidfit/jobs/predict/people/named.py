"""From what was seen of tracks to names: two faces of one frame are two people.

Shape letters: N tracks, K people.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vidfit.contracts import Floats, Seconds
from vidfit.jobs.predict.people.recogniser import Recogniser
from vidfit.jobs.predict.people.seen import FaceTrack
from vidfit.jobs.predict.people.value import PersonTrack
from vidfit.tasks.faces.kind import UNKNOWN


def at_once(first: FaceTrack, second: FaceTrack) -> bool:
    """Return whether two tracks share a frame."""
    return first.first <= second.last and second.first <= first.last


def named_tracks(
    tracks: Mapping[int, FaceTrack],
    recogniser: Recogniser,
    pts_seconds_F: Seconds,
    end_seconds: float,
) -> tuple[PersonTrack, ...]:
    """Return each track with its name, the surest first to be named.

    Where two that share a frame are alike to one person, the more alike is named, and the other is
    unknown: that it is the next most alike person is not taken for granted.
    """
    numbers = sorted(number for number, track in tracks.items() if track.looks)
    over_NK = [recogniser.over(tracks[number].vector_D) for number in numbers]
    order = sorted(range(len(numbers)), key=lambda i: -float(over_NK[i].max()))
    given: dict[str, list[int]] = {}
    names, notes = dict[int, str](), dict[int, str]()
    for i in order:
        number, best = numbers[i], int(over_NK[i].argmax())
        name = recogniser.names[best] if over_NK[i][best] >= 0 else UNKNOWN
        if name != UNKNOWN and any(at_once(tracks[number], tracks[j]) for j in given.get(name, [])):
            notes[number] = f"alike to {name}, who is beside it in the same frame"
            name = UNKNOWN
        given.setdefault(name, []).append(number)
        names[number] = name
    ends = [*pts_seconds_F[1:].tolist(), end_seconds]
    return tuple(
        PersonTrack(
            number,
            names[number],
            float(pts_seconds_F[tracks[number].first]),
            float(ends[tracks[number].last]),
            tracks[number].looks,
            *_figures(over_K, recogniser.threshold),
            notes.get(number, ""),
        )
        for number, over_K in zip(numbers, over_NK, strict=True)
    )


def _figures(over_K: Floats, threshold: float) -> tuple[float, float]:
    over = float(np.max(over_K))
    return round(over + threshold, 4), round(over, 4)
