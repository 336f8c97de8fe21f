"""Videos that BORIS played one after another: events count their time from the first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vidfit.contracts import Clip
from vidfit.manifest.spans.value import SpanRows

_PLAYER = re.compile(r"^(player\s*)?#?\d+:\s*", re.IGNORECASE)
_NEAR_SECONDS = 0.05
"""By which a span may reach into the next video: that of a frame."""


@dataclass(frozen=True)
class Played:
    """The names of videos in the order in which they were played, and how long each lasts."""

    names: tuple[str, ...]
    seconds: tuple[float, ...]

    def at(self, start: float, end: float) -> tuple[str, float]:
        """Return the video of a span, and the seconds of those before it.

        Raises
        ------
        ValueError
            If the span goes on into the next video, or lies beyond the last.
        """
        before = 0.0
        for name, lasts in zip(self.names, self.seconds, strict=True):
            if start < before + lasts:
                if end > before + lasts + _NEAR_SECONDS and name != self.names[-1]:
                    raise ValueError(f"it goes on from {name} into the next video")
                return name, before
            before += lasts
        raise ValueError(f"it starts at {start:g} s, and the videos end at {before:g} s")

    def times(self, start: float, end: float) -> list[Clip]:
        """Return the time of each video that a span, or a moment, lies in, without a label."""
        found, before = [], 0.0
        for name, lasts in zip(self.names, self.seconds, strict=True):
            first, last = start - before, end - before
            if first < lasts and (last > 0 or (first == last == 0)):
                found.append(Clip(name, max(first, 0.0), last if last < lasts else None))
            before += lasts
        return found


def file_name(written: str) -> str:
    """Return a video as it is written, without the player it was in."""
    return _PLAYER.sub("", written)


def first_player(source: str) -> list[str]:
    """Return the videos of the first player: ``player #1:a.mp4;b.mp4|player #2:c.mp4``."""
    return [name.strip() for name in file_name(source.split("|")[0].strip()).split(";") if name]


def say_observations(rows: SpanRows, pairs: Iterable[tuple[str, str]]) -> None:
    """Warn of videos that several observations tell of."""
    observations: dict[str, set[str]] = {}
    for video, observation in pairs:
        observations.setdefault(video, set()).add(observation)
    for video, named in observations.items():
        if video and len(named) > 1:
            rows.warnings.append(
                f"{video} has the observations {', '.join(sorted(named))}, which are read as one; "
                "where they overlap, as those of two people do, export one of them."
            )
