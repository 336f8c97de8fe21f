"""Stored weights are restored as they were rounded, by both engines, from smaller files."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from tests.compression.networks import cosine, pictures

from vidfit.compression import onnx_graph
from vidfit.compression.store import _bytes, block_size, store_weights
from vidfit.errors import BackboneError
from vidfit.runtime import onnx as engine
from vidfit.runtime import openvino

CLOSE = {16: 0.99999, 8: 0.999, 4: 0.95}


@pytest.mark.parametrize("module", [engine, openvino])
@pytest.mark.parametrize("bits", CLOSE)
@pytest.mark.parametrize("name", ["convolutional", "transformer"])
def test_tokens(request, tmp_path, name, bits, module):
    source = request.getfixturevalue(name)
    store_weights(source, tmp_path / "s.onnx", bits)
    views = pictures(3)
    found = module.open_session(tmp_path / "s.onnx", 1)(views)
    assert found.dtype == np.float32
    assert cosine(found, engine.open_session(source, 1)(views)) > CLOSE[bits]


@pytest.mark.parametrize(("bits", "share"), [(16, 0.53), (8, 0.29), (4, 0.17)])
def test_lite0_is_smaller_and_the_same_on_both_engines(lite0, tmp_path, bits, share):
    store_weights(lite0, tmp_path / "s.onnx", bits)
    assert (tmp_path / "s.onnx").stat().st_size < share * lite0.stat().st_size
    views = pictures(2, 224)
    found, other = (m.open_session(tmp_path / "s.onnx", 1)(views) for m in (engine, openvino))
    # OpenVINO's own kernels for weights of integers gave NaN: these are floats, only summed anew.
    np.testing.assert_allclose(found, other, atol=1e-3 * np.abs(found).max())
    if bits > 4:
        assert cosine(found, engine.open_session(lite0, 1)(views)) > 0.99


def restored(path):
    """Return every weight as ONNX's own reference computes it."""
    model = onnx.load(path)
    names = [
        node.output[0]
        for node in model.graph.node
        if node.output[0] + "_codes" in {tensor.name for tensor in model.graph.initializer}
    ]
    wanted = [onnx.helper.make_tensor_value_info(name, 1, None) for name in names]
    nodes = [
        n
        for n in model.graph.node
        if n.op_type in ("Cast", "Mul", "Reshape")
        and any(n.name.startswith(f"{name}_") for name in names)
    ]
    graph = onnx.helper.make_graph(nodes, "weights", [], wanted, model.graph.initializer)
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import)
    return dict(zip(names, ReferenceEvaluator(alone).run(None, {}), strict=True))


@pytest.mark.parametrize(("bits", "steps"), [(8, 127), (4, 7)])
@pytest.mark.parametrize("name", ["convolutional", "transformer"])
def test_weights_are_rounded_to_the_nearest_step(request, tmp_path, name, bits, steps):
    source = request.getfixturevalue(name)
    store_weights(source, tmp_path / "s.onnx", bits, "minmax")
    model = onnx_graph.tidied(source)
    stored = onnx_graph.weights(model)
    found = restored(tmp_path / "s.onnx")
    assert found
    for node in onnx_graph.layer_nodes(model):
        if node.input[1] in found:
            weight = onnx_graph.array(stored[node.input[1]])
            axis = onnx_graph.channel_axis(node)
            rows_RK = onnx_graph.channel_rows(weight, axis)
            error_RK = onnx_graph.channel_rows(found[node.input[1]], axis) - rows_RK
            half = np.abs(rows_RK).max(axis=1, keepdims=True) / steps / 2
            # Scales of float16 are exact to a thousandth, a weight has at most 7 of them.
            assert (np.abs(error_RK) <= half * 1.01).all()


def test_four_bits_lie_two_in_a_byte_as_onnx_wants_them():
    codes = np.array([-7, 7, 0, -1, 3], np.int8)
    raw = _bytes(codes, onnx.TensorProto.INT4)
    tensor = onnx.helper.make_tensor("t", onnx.TensorProto.INT4, [5], raw, raw=True)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor).astype(np.int8), codes)


def test_blocks_divide_a_channel():
    found = {count: block_size(count) for count in (9, 16, 27, 147, 240, 768, 67)}
    assert found == {9: None, 16: 16, 27: 27, 147: 21, 240: 30, 768: 32, 67: None}


def test_small_tensors_and_biases_stay(convolutional, tmp_path):
    store_weights(convolutional, tmp_path / "s.onnx", 8)
    before = onnx_graph.weights(onnx_graph.tidied(convolutional))
    after = onnx_graph.weights(onnx.load(tmp_path / "s.onnx"))
    small = [name for name, tensor in before.items() if np.prod(tensor.dims) < 1024]
    assert small
    for name in small:
        assert after[name] == before[name]


def test_float16_that_would_overflow_stays_float32(convolutional, tmp_path):
    model = onnx_graph.read(convolutional)
    weight = onnx_graph.weights(model)[onnx_graph.layer_nodes(model)[-1].input[1]]
    values = onnx_graph.array(weight).copy()
    values[0, 0, 0, 0] = 1e5
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx_graph.write(model, tmp_path / "large.onnx")
    store_weights(tmp_path / "large.onnx", tmp_path / "s.onnx", 16)
    assert np.isfinite(engine.open_session(tmp_path / "s.onnx", 1)(pictures(1))).all()


def test_same_input_same_bytes(transformer, tmp_path):
    for name in "ab":
        store_weights(transformer, tmp_path / name, 4)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_refused_and_nothing_is_left(convolutional, tmp_path, monkeypatch):
    target = tmp_path / "s.onnx"
    with pytest.raises(BackboneError, match="stored in 2 bits; valid are 16, 8 and 4"):
        store_weights(convolutional, target, 2)
    with pytest.raises(BackboneError, match="no clipping 'entropy'"):
        store_weights(convolutional, target, 8, "entropy")
    monkeypatch.setattr(onnx, "save", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(BackboneError, match="disk full"):
        store_weights(convolutional, target, 8)
    assert list(tmp_path.iterdir()) == []
