"""``random:NAME``, ``NAME@VIEWS`` and ``NAME@key``."""

import dataclasses

import pytest

from vidfit.backbones.motion import motion
from vidfit.backbones.notation import (
    ViewsAsked,
    cheap_forms,
    plain_name,
    split_precision,
    split_views,
    with_spec,
)
from vidfit.errors import BackboneError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("motion", ("motion", None)),
        ("motion@4", ("motion", ViewsAsked(views=4))),
        ("net@key", ("net", ViewsAsked(keyframes=True))),
        ("net@key4", ("net", ViewsAsked(keyframes=True, views=4))),
        ("net@keys", ("net@keys", None)),
        ("net@4key", ("net@4key", None)),
        ("hf:/a@b/folder@12", ("hf:/a@b/folder", ViewsAsked(views=12))),
        ("hf:/a@3/folder", ("hf:/a@3/folder", None)),
        ("vgg16:w@4@8", ("vgg16:w@4", ViewsAsked(views=8))),
        ("motion@x", ("motion@x", None)),
        ("motion@", ("motion@", None)),
        ("motion@-1", ("motion@-1", None)),
    ],
)
def test_views_are_digits_behind_the_last_at(name, expected):
    base, asked = split_views(name)
    assert (base, asked) == expected
    assert f"{base}{asked or ''}" == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("net:int8", ("net", True)),
        ("vgg16:w.pth:int8", ("vgg16:w.pth", True)),
        ("my.py:Net:int8", ("my.py:Net", True)),
        ("my.py:int8", ("my.py:int8", False)),
        ("vgg16:./int8", ("vgg16:./int8", False)),
        ("net", ("net", False)),
    ],
)
def test_eight_bits_stand_behind_a_name(name, expected):
    assert split_precision(name) == expected


@pytest.mark.parametrize("name", ["motion@0", "net@key0"])
def test_no_view_is_refused(name):
    with pytest.raises(BackboneError, match=f"'{name}' asks for no view"):
        split_views(name)


@pytest.mark.parametrize(
    "name",
    [
        "net",
        "net@4",
        "random:net",
        "random:net@16",
        "net@key",
        "random:net@key4",
        "net:int8",
        "random:net:int8@key",
    ],
)
def test_plain_name(name):
    assert plain_name(name) == "net"


def test_spec_of_an_object_that_cannot_be_copied():
    class Own:
        spec = motion().spec

    with pytest.raises(BackboneError, match="Own is no dataclass"):
        with_spec(Own(), dataclasses.replace(Own.spec, name="other"))


def test_cheap_forms_keep_the_views_and_are_none_of_itself():
    assert cheap_forms("a", by_frame=True) == ["a@key", "a:int8", "a:int8@key"]
    assert cheap_forms("a@4", by_frame=True) == ["a@key4", "a:int8@4", "a:int8@key4"]
    assert cheap_forms("a:int8", by_frame=True) == ["a:int8@key"]
    assert cheap_forms("a:int8@key", by_frame=True) == []
    assert cheap_forms("a", by_frame=False) == ["a:int8"]
    assert cheap_forms("a:int8", by_frame=False) == []
