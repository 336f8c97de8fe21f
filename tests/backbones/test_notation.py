"""``random:NAME`` and ``NAME@VIEWS``."""

import dataclasses

import pytest

from vidfit.backbones.motion import motion
from vidfit.backbones.notation import plain_name, split_views, with_spec
from vidfit.errors import BackboneError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("motion", ("motion", None)),
        ("motion@4", ("motion", 4)),
        ("hf:/a@b/folder@12", ("hf:/a@b/folder", 12)),
        ("hf:/a@3/folder", ("hf:/a@3/folder", None)),
        ("vgg16:w@4@8", ("vgg16:w@4", 8)),
        ("motion@x", ("motion@x", None)),
        ("motion@", ("motion@", None)),
        ("motion@-1", ("motion@-1", None)),
    ],
)
def test_views_are_digits_behind_the_last_at(name, expected):
    assert split_views(name) == expected


def test_no_view_is_refused():
    with pytest.raises(BackboneError, match="'motion@0' asks for no view"):
        split_views("motion@0")


@pytest.mark.parametrize("name", ["net", "net@4", "random:net", "random:net@16"])
def test_plain_name(name):
    assert plain_name(name) == "net"


def test_spec_of_an_object_that_cannot_be_copied():
    class Own:
        spec = motion().spec

    with pytest.raises(BackboneError, match="Own is no dataclass"):
        with_spec(Own(), dataclasses.replace(Own.spec, name="other"))
