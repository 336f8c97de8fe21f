"""An aligned face is seen as a file of it is, by any encoder of pictures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vidfit.backbones.faces.window import seen_by
from vidfit.contracts import Clip, Preprocessing, Sampling
from vidfit.features.views import gather_views
from vidfit.video import VideoReader


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing(150, 150, short_side_pixels=224),  # of dlib-face
        Preprocessing(224, 224),  # of onnx: and of most of hf:
        Preprocessing(224, 224, short_side_pixels=256),
        Preprocessing(384, 384),
    ],
)
def test_a_face_is_seen_as_a_file_of_it(tmp_path, preprocessing):
    face_HWC = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    Image.fromarray(face_HWC).save(tmp_path / "a.png")
    spec = SimpleNamespace(preprocessing=preprocessing, sampling=Sampling(3, 2), name="x")
    view_THWC = seen_by(SimpleNamespace(spec=spec), face_HWC)
    size = preprocessing.height_pixels, preprocessing.width_pixels
    assert view_THWC.shape == (3, *size, 3)
    with VideoReader(str(tmp_path / "a.png")) as reader:
        ((_, views_VTHWC),) = gather_views(reader, Clip(str(tmp_path / "a.png")), [spec])
    assert all(np.array_equal(view, view_THWC) for view in views_VTHWC)
    if preprocessing == replace(preprocessing, height_pixels=150, width_pixels=150):
        assert np.array_equal(view_THWC[0], face_HWC[37:187, 37:187])
