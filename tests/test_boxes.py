"""Boxes of frames, and how far they overlap."""

from __future__ import annotations

import numpy as np

from vidfit.boxes import Box, overlaps


def test_overlap_is_what_two_boxes_share_of_what_they_cover_together():
    one = np.array([[0, 0, 4, 2], [0, 0, 0, 5]], float)  # the second has no area
    other = np.array([[2, 0, 6, 2], [0, 0, 4, 2], [4, 0, 5, 2], [0, 0, 0, 5]], float)
    np.testing.assert_allclose(overlaps(one, other), [[1 / 3, 1, 0, 0], [0, 0, 0, 0]])
    assert overlaps(one[:0], other).shape == (0, 4)


def test_the_edges_of_a_box_are_in_the_order_of_overlaps():
    box = Box("person", left=1, top=2, right=3, bottom=4)
    assert overlaps(np.array([box.edges]), np.array([[1, 2, 3, 4]])) == 1
