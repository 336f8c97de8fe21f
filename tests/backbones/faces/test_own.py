"""An encoder of faces from an ONNX file sees the part of an aligned face that ArcFace wants."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from vidfit.backbones import load
from vidfit.backbones.faces.own import LEFT, TOP, WINDOW
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone


@pytest.fixture
def embedder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2), nn.PReLU(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6)
    )
    path = tmp_path / "own.onnx"
    torch.onnx.export(network, (torch.zeros(1, 3, 112, 112),), path, dynamo=False)
    return network, path


def test_sees_the_window_and_gives_unit_vectors(embedder):
    network, path = embedder
    backbone = load(f"onnx:{path}")
    check_backbone(backbone)
    view = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    view[: TOP + 1] = view[TOP + WINDOW :] = view[:, : LEFT + 1] = view[:, LEFT + WINDOW :] = 7
    tokens = backbone.forward(np.stack([view, view[::-1]])[:, None])
    window = torch.tensor(view[TOP : TOP + WINDOW, LEFT : LEFT + WINDOW]).permute(2, 0, 1)[None]
    small = nn.functional.interpolate(window.float(), (112, 112), mode="bilinear")
    expected = network((small - 127.5) / 127.5).detach().numpy()[0]
    assert np.abs(tokens[0, 0] - expected / np.linalg.norm(expected)).max() < 1e-4
    assert not np.allclose(tokens[0, 0], tokens[1, 0])


def test_what_is_no_encoder_of_faces_is_refused(tmp_path):
    with pytest.raises(BackboneError, match="there is no such file"):
        load(f"onnx:{tmp_path / 'none.onnx'}")
    (tmp_path / "no.onnx").write_bytes(b"not a network")
    with pytest.raises(BackboneError, match="is no encoder of faces"):
        load(f"onnx:{tmp_path / 'no.onnx'}")
