"""``NAME:int8``: made once, kept, near its floats, and back from disk as it was."""

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones import eight_bits
from vidfit.errors import BackboneError
from vidfit.features.digests import spec_key

NAME = "efficientnet-lite0:int8@2"


@pytest.fixture(scope="module")
def encoder():
    return backbones.load(NAME)


def test_it_is_another_encoder_near_its_floats(encoder):
    floats = backbones.load("efficientnet-lite0@2")
    assert (encoder.spec.name, encoder.spec.sampling) == (NAME, floats.spec.sampling)
    assert spec_key(encoder.spec) != spec_key(floats.spec)
    assert "in 8 bits: cosine 0.99" in encoder.spec.source
    views = eight_bits.draw_views(floats.spec, 2, seed=5)
    assert eight_bits.cosine(encoder.forward(views), floats.forward(views)) > 0.99
    assert encoder.graph.stat().st_size < floats.spec.parameters * 4 / 3


def test_it_is_made_once(encoder, monkeypatch):
    monkeypatch.setattr(eight_bits, "_make", None)
    assert backbones.load(NAME).spec == encoder.spec


def test_it_comes_back_from_disk(encoder, tmp_path):
    backbones.save(encoder, tmp_path)
    restored = backbones.restore(tmp_path)
    assert restored.spec == encoder.spec
    views = eight_bits.draw_views(encoder.spec, 1, seed=0)
    assert np.array_equal(restored.forward(views), encoder.forward(views))


def test_pictures_are_the_same_each_time_and_drift(encoder):
    spec = backbones.load("transnetv2").spec
    views = eight_bits.draw_views(spec, 1, seed=3)
    assert np.array_equal(views, eight_bits.draw_views(spec, 1, seed=3))
    assert not spec.complaint(views)
    assert not np.array_equal(views[0, 0], views[0, -1])


def test_what_has_no_network_is_refused():
    with pytest.raises(BackboneError, match="motion has no network of floats"):
        backbones.load("motion:int8")


def test_a_network_that_does_not_bear_it_is_refused(encoder, monkeypatch):
    monkeypatch.setattr(eight_bits, "LEAST_COSINE", 1.0)
    with pytest.raises(BackboneError, match="does not bear 8 bits"):
        backbones.load(NAME)


def test_what_is_no_number_is_unlike_all():
    broken = np.full((1, 1, 3), np.nan, np.float32)
    assert eight_bits.cosine(broken, np.ones((1, 1, 3), np.float32)) == 0.0
