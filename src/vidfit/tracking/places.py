"""Lines and zones in a picture, in pixels; and how far a point is from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vidfit.errors import VidfitError

Point = tuple[float, float]
"""x and y in pixels from the upper left corner."""


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A line that is crossed from one side to the other.

    Parameters
    ----------
    start, end
        Its ends; they must differ. Its right side is that on the right of who goes from start to
        end: below a line that goes to the right.
    """

    name: str
    start: Point
    end: Point

    def beyond(self, point: Point) -> float:
        """Return how far a point is on the right of the line drawn on, in pixels; left below 0."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        aside = dx * (point[1] - self.start[1]) - dy * (point[0] - self.start[0])
        return aside / math.hypot(dx, dy)

    def along(self, point: Point) -> float:
        """Return where a point lies along the line: 0 at its start, 1 at its end."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        ahead = dx * (point[0] - self.start[0]) + dy * (point[1] - self.start[1])
        return ahead / (dx * dx + dy * dy)


@dataclass(frozen=True, slots=True)
class CountedZone:
    """A polygon that objects are in or not.

    Parameters
    ----------
    corners
        Three or more, in order; the last is joined to the first.
    """

    name: str
    corners: tuple[Point, ...]

    def inside(self, point: Point) -> float:
        """Return how far a point is from the edge, in pixels; below 0 outside of the zone.

        Inside is where a ray crosses the edge an odd number of times.
        """
        x, y = point
        odd, nearest = False, math.inf
        for (x1, y1), (x2, y2) in pairwise((*self.corners, self.corners[0])):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                odd = not odd
            nearest = min(nearest, _distance(point, (x1, y1), (x2, y2)))
        return nearest if odd else -nearest


def named_points(
    lines: Iterable[CountedLine], zones: Iterable[CountedZone]
) -> list[tuple[str, tuple[Point, ...]]]:
    """Return the name and the points of each line and zone."""
    return [
        *((line.name, (line.start, line.end)) for line in lines),
        *((zone.name, zone.corners) for zone in zones),
    ]


def in_picture(points: Sequence[Point], width_pixels: int, height_pixels: int) -> bool:
    """Return whether the rectangle around points has a part of the picture in it.

    Where it has none, no foot can go over the line, or stand in the zone, of these points.
    """
    x, y = ([point[axis] for point in points] for axis in (0, 1))
    return min(x) <= width_pixels and max(x) >= 0 and min(y) <= height_pixels and max(y) >= 0


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return the distance of a point to a stretch of a line."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    square = dx * dx + dy * dy
    ahead = dx * (point[0] - start[0]) + dy * (point[1] - start[1])
    share = min(max(ahead / square, 0.0), 1.0) if square else 0.0
    return math.hypot(point[0] - start[0] - share * dx, point[1] - start[1] - share * dy)


def parse_line(text: str, number: int = 1) -> CountedLine:
    """Read ``[NAME:]X1,Y1,X2,Y2``; without a name it is ``line`` and its number.

    Raises
    ------
    VidfitError
        Says what is valid.
    """
    name, values = _values(text, f"line {number}")
    if len(values) != 4 or values[:2] == values[2:]:
        raise VidfitError(
            f"{text!r} is no line; give two points in pixels, such as door:100,400,600,400"
        )
    return CountedLine(name, (values[0], values[1]), (values[2], values[3]))


def parse_zone(text: str, number: int = 1) -> CountedZone:
    """Read ``[NAME:]X,Y X,Y X,Y ...``; without a name it is ``zone`` and its number.

    Raises
    ------
    VidfitError
        Says what is valid.
    """
    name, values = _values(text, f"zone {number}")
    corners = tuple(zip(values[::2], values[1::2], strict=False))
    if len(values) % 2 or len(corners) < 3 or not _area(corners):
        raise VidfitError(
            f"{text!r} is no zone; give three corners or more in pixels, such as "
            "till:100,400 600,400 600,700 100,700"
        )
    return CountedZone(name, corners)


def _values(text: str, otherwise: str) -> tuple[str, list[float]]:
    """Return the name and the numbers of a place; no numbers where one is none."""
    name, colon, rest = text.rpartition(":")
    try:
        values = [float(word) for word in rest.replace(",", " ").split()]
    except ValueError:
        values = []
    finite = values if all(map(math.isfinite, values)) else []
    return name.strip() if colon and name.strip() else otherwise, finite


def _area(corners: Sequence[Point]) -> float:
    """Return twice the area of a polygon; 0 where its corners lie on a line."""
    around = pairwise((*corners, corners[0]))
    return abs(math.fsum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in around))
