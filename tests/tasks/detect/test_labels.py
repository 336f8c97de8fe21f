"""Labels of frames as text, and what stands for names of classes."""

from __future__ import annotations

import pytest

from vidfit.tasks.detect.labels import name_number, parsed, written


def test_what_is_written_is_read_again():
    text = "320x256 traffic light 0.1 0.2 0.3 0.4; ~bird 0 0 0.5 1"
    found = parsed(text)
    assert found.size_pixels == (320, 256) and [b.ignored for b in found.boxes] == [False, True]
    assert found.boxes[0].label == "traffic light"
    assert parsed(written(found)) == found and parsed("8x8").boxes == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("bird 0 0 1 1", "is no frame with boxes"),
        ("0x5", "is no frame with boxes"),
        ("8x8 bird 0 0 1", "is no box"),
        ("8x8 bird 0.5 0 0.5 1", "is no box"),
        ("8x8 bird 0 0 1.2 1", "is no box"),
        ("8x8 bird 0 0 nan 1", "is no box"),
    ],
)
def test_what_is_no_label_is_named(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        parsed(text)


def test_names_of_one_meaning_have_one_number():
    assert name_number("Pedestrian") == name_number("person") != name_number("bird")
    assert name_number("traffic_light") == name_number(" traffic  light") < 2**24
