"""What can be asked of objects in videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vidfit.errors import VidfitError
from vidfit.jobs.predict.by_task import whole_number
from vidfit.tracking.places import (
    CountedLine,
    CountedZone,
    in_picture,
    named_points,
    parse_line,
    parse_zone,
)
from vidfit.tracking.tracker import TrackerSettings

_NEW = TrackerSettings().new_score - TrackerSettings().sure_score


@dataclass(frozen=True)
class ObjectOptions:
    """How videos are looked at.

    Parameters
    ----------
    every
        Each how manieth frame is looked at, from 1; ``None`` for about ten a second.
    settings
        How boxes are joined to tracks.
    lines, zones
        What is counted; no two have one name.
    """

    every: int | None = None
    settings: TrackerSettings = TrackerSettings()
    lines: tuple[CountedLine, ...] = ()
    zones: tuple[CountedZone, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, tuple[str, ...]]) -> ObjectOptions:
        """Read options as they were typed.

        Raises
        ------
        VidfitError
            If one cannot be read.
        """
        options = cls()
        options = replace(options, every=whole_number(given, "every", 1))
        if score := given.get("score"):
            options = replace(options, settings=settings_of(score[-1]))
        lines = tuple(parse_line(text, i) for i, text in enumerate(given.get("line", ()), 1))
        zones = tuple(parse_zone(text, i) for i, text in enumerate(given.get("zone", ()), 1))
        names = Counter([line.name for line in lines] + [zone.name for zone in zones])
        if twice := [name for name, count in names.items() if count > 1]:
            raise VidfitError(f"two lines or zones are called {twice[0]!r}; give each its name")
        return replace(options, lines=lines, zones=zones)

    def outside(self, width_pixels: int, height_pixels: int) -> str:
        """Say which line or zone lies outside of a picture, and so would count nothing."""
        for name, points in named_points(self.lines, self.zones):
            if not in_picture(points, width_pixels, height_pixels):
                return (
                    f"{name!r} lies outside of its {width_pixels} x {height_pixels} pixels, and "
                    "would count nothing; give points within the picture"
                )
        return ""


def settings_of(score: str) -> TrackerSettings:
    """Return settings by the score from which on a box is sure; a new track needs 0.1 more.

    Raises
    ------
    VidfitError
        If it is no score.
    """
    base = TrackerSettings()
    try:
        sure = float(score)
    except ValueError:
        sure = -1.0
    if not base.unsure_score <= sure <= 1:
        raise VidfitError(f"--score {score} is no score; give {base.unsure_score:g} to 1")
    return replace(base, sure_score=sure, new_score=min(sure + _NEW, 1.0))
