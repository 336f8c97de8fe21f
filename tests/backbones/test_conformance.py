"""Every candidate keeps the contract."""

import dataclasses

import numpy as np
import pytest

from vidfit import backbones
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone, random_views


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_backbone_keeps_the_contract(name):
    check_backbone(backbones.load(name))


class Broken:
    """A backbone that breaks one promise at a time."""

    def __init__(self, **changes):
        self.base = backbones.load("efficientnet-lite0")
        self.spec = dataclasses.replace(self.base.spec, **changes)

    def forward(self, frames_BTHWC):
        return self.base.forward(frames_BTHWC)

    def save(self, directory):
        self.base.save(directory)


class Shaky(Broken):
    def forward(self, frames_BTHWC):
        noise = np.random.default_rng().random()
        return self.base.forward(frames_BTHWC) + np.float32(noise)


class BatchDependent(Broken):
    def forward(self, frames_BTHWC):
        return self.base.forward(frames_BTHWC) + np.float32(len(frames_BTHWC))


class Infinite(Broken):
    def forward(self, frames_BTHWC):
        return self.base.forward(frames_BTHWC) * np.float32(np.nan)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: Broken(licence=""), "licence is empty"),
        (lambda: Broken(dim=7), "not \\[2, N, 7\\]"),
        (lambda: Broken(revision="1" * 64), "were altered"),
        (Shaky, "the same frames gave other tokens"),
        (BatchDependent, "a view alone gives other"),
        (Infinite, "not finite"),
    ],
)
def test_broken_backbones_are_found(broken, complaint):
    with pytest.raises(BackboneError, match=complaint):
        check_backbone(broken())


def test_random_views_follow_the_spec_and_the_seed():
    spec = backbones.load("efficientnet-lite1").spec
    views = random_views(spec, 2, seed=1)
    assert views.shape == (2, 1, 240, 240, 3)
    assert np.array_equal(views, random_views(spec, 2, seed=1))
    assert not np.array_equal(views, random_views(spec, 2, seed=2))
