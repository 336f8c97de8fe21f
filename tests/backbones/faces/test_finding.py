"""Faces are found and turned upright; where there is none, none is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidfit.backbones.faces.finding import find_faces
from vidfit.backbones.package_weights import is_fetched
from vidfit.threads import in_threads

PICTURES = Path(__file__).parents[4] / "shared" / "data" / "orl_faces"

pytestmark = pytest.mark.skipif(
    not is_fetched("dlib-face") or not PICTURES.is_dir(),
    reason="needs the weights dlib-face and pictures of faces",
)


def frames():
    for i, place in enumerate([(40, 60), (200, 300), (90, 400)]):
        frame = np.full((360, 640, 3), 90, np.uint8)
        face = np.array(Image.open(PICTURES / f"s{i + 3:02d}" / "01.png").convert("RGB"))
        frame[place[0] : place[0] + 112, place[1] : place[1] + 92] = face
        yield frame, place


def test_a_face_is_found_where_it_is():
    pytest.importorskip("dlib")
    for frame, (top, left) in frames():
        (face,) = find_faces(frame)
        assert (face.aligned_HWC.shape, face.aligned_HWC.dtype) == ((224, 224, 3), np.uint8)
        assert left <= (face.left + face.right) / 2 <= left + 92
        assert top <= (face.top + face.bottom) / 2 <= top + 112
        assert 40 < face.side_pixels < 110
        assert 0.5 <= face.score <= 1
    assert find_faces(np.full((50, 50, 3), 90, np.uint8)) == ()


def test_each_thread_finds_what_is_in_its_own_frame():
    pytest.importorskip("dlib")
    pictures = [frame for frame, _ in frames()]
    alone = [find_faces(picture)[0].left for picture in pictures]
    beside = in_threads(lambda i: find_faces(pictures[i % 3])[0].left, range(12), 3)
    assert list(beside) == [alone[i % 3] for i in range(12)]
