"""Integers give nearly the tokens of floats, on both engines, and say which layers cost what."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.compression.networks import SIZE, cosine, pictures

from vidfit.compression.calibrated import PAIR, matrix_steps
from vidfit.compression.quantize import quantize_dynamic, quantize_static
from vidfit.errors import BackboneError
from vidfit.runtime import onnx as engine
from vidfit.runtime import openvino


def tokens(path, views, module=engine):
    return module.open_session(path, 1)(views)


def kinds(path):
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.fixture(scope="module")
def static(convolutional, tmp_path_factory):
    path = tmp_path_factory.mktemp("static") / "int8.onnx"
    quantize_static(convolutional, path, pictures(8))
    return path


@pytest.mark.parametrize("module", [engine, openvino])
@pytest.mark.parametrize("batch", [1, 3])
def test_static_tokens(convolutional, static, module, batch):
    views = pictures(batch, seed=5)
    found, expected = tokens(static, views, module), tokens(convolutional, views)
    assert found.dtype == np.float32
    assert cosine(found, expected) > 0.998
    assert static.stat().st_size < 0.6 * convolutional.stat().st_size


@pytest.mark.parametrize("clipping", ["minmax", "percentile", "mse"])
def test_other_clippings(convolutional, tmp_path, clipping):
    quantize_static(convolutional, tmp_path / "q.onnx", pictures(8), clipping)
    views = pictures(3, seed=5)
    expected = tokens(convolutional, views)
    assert cosine(tokens(tmp_path / "q.onnx", views), expected) > 0.998


def test_a_transformer_can_be_static(transformer, tmp_path):
    quantize_static(transformer, tmp_path / "q.onnx", pictures(8))
    views = pictures(3, seed=5)
    assert cosine(tokens(tmp_path / "q.onnx", views), tokens(transformer, views)) > 0.99


def test_pixels_go_in_as_integers(static):
    """The normalisation of mean 127 and deviation 128 only restates them."""
    assert not {"Cast", "Mul"} & set(kinds(static))


def test_same_input_same_bytes(convolutional, static, tmp_path):
    quantize_static(convolutional, tmp_path / "again.onnx", pictures(8))
    assert (tmp_path / "again.onnx").read_bytes() == static.read_bytes()


def test_no_pair_of_products_exceeds_16_bits():
    weight_RK = np.random.default_rng(0).standard_t(4, (40, 64)).astype(np.float32)
    weight_RK[3, :2] = 9.0
    codes_RK = np.rint(weight_RK / matrix_steps(weight_RK, "minmax")[:, None])
    largest = np.sort(np.abs(codes_RK), axis=1)
    assert largest.max() <= 127
    two = [
        np.sort(side, axis=1)[:, -2:].clip(0).sum(axis=1).max() for side in (codes_RK, -codes_RK)
    ]
    assert 255 * max(two) <= 2**15 - 1
    assert max(two) == int(PAIR + 0.5)
    # Alone, a weight may have the whole range.
    assert largest[:, -1].max() > 64


def test_the_bias_takes_the_mean_error_off(convolutional, tmp_path, monkeypatch):
    views = pictures(8)
    quantize_static(convolutional, tmp_path / "with.onnx", views)
    monkeypatch.setattr("vidfit.compression.calibrated._mean_output", lambda *_: 0.0)
    quantize_static(convolutional, tmp_path / "without.onnx", views)
    expected = tokens(convolutional, views)
    errors = {
        name: np.abs((tokens(tmp_path / f"{name}.onnx", views) - expected).mean(axis=0)).mean()
        for name in ("with", "without")
    }
    assert errors["with"] < errors["without"]


@pytest.mark.parametrize("module", [engine, openvino])
def test_dynamic_tokens(transformer, tmp_path, module):
    quantize_dynamic(transformer, tmp_path / "q.onnx")
    assert "MatMulInteger" in kinds(tmp_path / "q.onnx")
    views = pictures(3, seed=5)
    found = tokens(tmp_path / "q.onnx", views, module)
    assert cosine(found, tokens(transformer, views)) > 0.998


def test_dynamic_gives_the_same_bytes(transformer, tmp_path):
    for name in "ab":
        quantize_dynamic(transformer, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_lite0_is_close_and_small(lite0, tmp_path):
    quantize_static(lite0, tmp_path / "q.onnx", pictures(8, 224))
    views = pictures(3, 224, seed=5)
    assert cosine(tokens(tmp_path / "q.onnx", views), tokens(lite0, views)) > 0.99
    assert (tmp_path / "q.onnx").stat().st_size < 0.3 * lite0.stat().st_size


def test_refused_and_nothing_is_left(convolutional, tmp_path, monkeypatch):
    target = tmp_path / "q.onnx"
    with pytest.raises(BackboneError, match="no clipping 'entropy'; valid are"):
        quantize_static(convolutional, target, pictures(1), "entropy")
    with pytest.raises(BackboneError, match="no views to calibrate on"):
        quantize_static(convolutional, target, pictures(0))
    with pytest.raises(BackboneError, match="cannot be compressed this way"):
        quantize_static(convolutional, target, pictures(1, SIZE + 2)[:, :, :, :, :2])
    with pytest.raises(BackboneError, match="no products by a stored matrix"):
        quantize_dynamic(convolutional, target)
    with pytest.raises(BackboneError, match="cannot be read as an ONNX graph"):
        quantize_static(tmp_path / "absent.onnx", target, pictures(1))

    def fail(*_):
        raise onnx.checker.ValidationError("no valid graph")

    monkeypatch.setattr(onnx.checker, "check_model", fail)
    with pytest.raises(BackboneError, match="no valid graph"):
        quantize_static(convolutional, target, pictures(1))
    assert list(tmp_path.iterdir()) == []
