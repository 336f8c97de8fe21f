"""Lines and zones; the distance to an edge is held against OpenCV."""

from __future__ import annotations

import numpy as np
import pytest

from vidfit.errors import VidfitError
from vidfit.tracking.places import (
    CountedLine,
    CountedZone,
    in_picture,
    parse_line,
    parse_zone,
)

SHAPE = ((10.0, 10.0), (90.0, 20.0), (50.0, 40.0), (80.0, 90.0), (20.0, 70.0))


def test_the_right_of_a_line_that_goes_to_the_right_is_below_it():
    line = CountedLine("door", (10, 50), (30, 50))
    assert (line.beyond((20, 53)), line.beyond((20, 45))) == (3, -5)
    assert (line.along((10, 0)), line.along((20, 9)), line.along((40, 9))) == (0, 0.5, 1.5)


def test_how_far_a_point_is_inside_is_what_opencv_says():
    import cv2

    zone, contour = CountedZone("till", SHAPE), np.array(SHAPE, np.float32)
    for point in np.random.default_rng(0).uniform(-10, 110, (200, 2)):
        theirs = cv2.pointPolygonTest(contour, (float(point[0]), float(point[1])), True)
        assert zone.inside((point[0], point[1])) == pytest.approx(theirs, abs=1e-3)


def test_a_place_is_in_the_picture_where_any_of_its_points_could_be():
    size = 100, 50
    assert in_picture([(-50, 25), (150, 25)], *size) and in_picture([(100, 50), (200, 90)], *size)
    assert not in_picture([(101, 0), (101, 50)], *size) and not in_picture(
        [(0, -9), (9, -1)], *size
    )


def test_places_are_read_as_they_are_typed():
    assert parse_line("door: 1,2,3,4.5") == CountedLine("door", (1, 2), (3, 4.5))
    assert parse_line("1,2 3,4", 2).name == "line 2"
    assert parse_zone("a:b:0,0 4,0 4,4") == CountedZone("a:b", ((0, 0), (4, 0), (4, 4)))


@pytest.mark.parametrize("text", ["1,2,3", "1,2,1,2", "a,b,c,d", "door:", "1,2,3,nan", ""])
def test_what_is_no_line_is_refused(text):
    with pytest.raises(VidfitError, match="is no line; give two points"):
        parse_line(text)


@pytest.mark.parametrize("text", ["0,0 1,1", "0,0 1,1 2,2", "0,0 1,1 2", "x", "z:0,0 1,0 1,inf"])
def test_what_is_no_zone_is_refused(text):
    with pytest.raises(VidfitError, match="is no zone; give three corners"):
        parse_zone(text)
