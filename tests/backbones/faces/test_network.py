"""The face network is dlib's, to its last digits, and what is no such file is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.backbones.faces.network import WEIGHTS_FILE, FaceNetwork, read_dlib
from vidfit.backbones.package_weights import is_fetched, package_weights
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone

fetched = pytest.mark.skipif(
    not is_fetched("dlib-face"), reason="needs `vidfit models --fetch dlib-face`"
)


@fetched
def test_gives_the_numbers_of_dlib(tmp_path):
    dlib = pytest.importorskip("dlib")
    encoder = backbones.load("dlib-face")
    check_backbone(encoder)
    faces = np.random.default_rng(0).integers(0, 255, (2, 150, 150, 3), np.uint8)
    own = dlib.face_recognition_model_v1(str(package_weights("dlib-face")[WEIGHTS_FILE]))
    theirs = np.array([own.compute_face_descriptor(face) for face in faces])
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = encoder.forward(faces[:, None])[:, 0]
    assert np.abs(ours - theirs).max() < 1e-5
    backbones.save(encoder, tmp_path / "saved")
    again = backbones.restore(tmp_path / "saved")
    assert again.spec == encoder.spec
    assert np.array_equal(again.forward(faces[:, None])[:, 0], ours)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.dat"
    path.write_bytes(b"\x01\x02" * 500)
    with pytest.raises(BackboneError, match="is not dlib's face network"):
        read_dlib(path)


def test_vectors_are_of_length_one():
    network = FaceNetwork().eval()
    with torch.no_grad():
        vectors = network(torch.randn(2, 3, 150, 150))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)
