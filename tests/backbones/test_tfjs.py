"""Networks of TensorFlow.js, as small as can be: each operation against what it means."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from vidfit.backbones.tfjs import read_tfjs
from vidfit.errors import BackboneError


def _s(text):
    return {"s": base64.b64encode(text.encode()).decode()}


def _ints(*numbers):
    return {"list": {"i": [str(n) for n in numbers]}}


@pytest.fixture
def network(tmp_path):
    """Return a function that writes nodes and weights, and reads them as a network."""

    def make(nodes, weights, wanted=("out",)):
        listed, content = [], b""
        for name, array in weights.items():
            half = array.dtype == np.float16
            listed.append(
                {"name": name, "shape": list(array.shape),
                 "dtype": "float32" if half else str(array.dtype),
                 **({"quantization": {"dtype": "float16"}} if half else {})}
            )  # fmt: skip
            content += array.tobytes()
            nodes = [{"name": name, "op": "Const"}, *nodes]
        nodes = [{"name": "x", "op": "Placeholder"}, *nodes]
        document = {
            "modelTopology": {"node": nodes},
            "weightsManifest": [{"paths": ["net.bin"], "weights": listed}],
        }
        (tmp_path / "net.json").write_text(json.dumps(document))
        (tmp_path / "net.bin").write_bytes(content)
        return read_tfjs(tmp_path / "net.json", tmp_path / "net.bin", wanted)

    return make


def _conv(operation, padding, stride, fused=(), **more):
    attributes = {
        "strides": _ints(1, stride, stride, 1),
        "padding": _s(padding),
        "dilations": _ints(1, 1, 1, 1),
        "fused_ops": {"list": {"s": [_s(name)["s"] for name in fused]}},
        **more,
    }
    return {"name": "out", "op": operation, "attr": attributes}


RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(2, 7, 6, 3)).astype(np.float32))


def test_a_fused_convolution_pads_as_tensorflow_does(network):
    weight = RNG.normal(size=(3, 3, 3, 4)).astype(np.float16)
    bias, slope = RNG.normal(size=(2, 4)).astype(np.float32)
    node = _conv("_FusedConv2D", "SAME", 2, ("BiasAdd", "Prelu"))
    node["input"] = ["x", "w", "b", "s"]
    got = network([node], {"w": weight, "b": bias, "s": slope})(X)[0]
    # 7 rows by steps of 2 take a row of zeros on either side, 6 columns one on the right.
    padded = functional.pad(X.permute(0, 3, 1, 2), (0, 1, 1, 1))
    kernel = torch.from_numpy(weight.astype(np.float32)).permute(3, 2, 0, 1)
    plain = functional.conv2d(padded, kernel, torch.from_numpy(bias), stride=2)
    expected = functional.prelu(plain, torch.from_numpy(slope)).permute(0, 2, 3, 1)
    torch.testing.assert_close(got, expected)


def test_depthwise_transposed_pooled_and_scaled(network):
    weight = RNG.normal(size=(3, 3, 3, 1)).astype(np.float32)
    node = _conv("FusedDepthwiseConv2dNative", "VALID", 1, ("Relu6",))
    node["input"] = ["x", "w"]
    kernel = torch.from_numpy(weight).permute(2, 3, 0, 1)
    plain = functional.conv2d(X.permute(0, 3, 1, 2), kernel, groups=3)
    got = network([node], {"w": weight})(X)[0]
    torch.testing.assert_close(got, plain.clamp(0, 6).permute(0, 2, 3, 1))
    node = _conv("Conv2DBackpropInput", "SAME", 2)
    node["input"] = ["size", "w", "x"]
    up = RNG.normal(size=(2, 2, 1, 3)).astype(np.float32)
    got = network([node], {"size": np.array([1, 14, 12, 1], np.int32), "w": up})(X)[0]
    kernel = torch.from_numpy(up).permute(3, 2, 0, 1)
    expected = functional.conv_transpose2d(X.permute(0, 3, 1, 2), kernel, stride=2)
    torch.testing.assert_close(got, expected.permute(0, 2, 3, 1))


def test_what_hangs_on_no_picture_is_computed_once_for_any_number_of_them(network):
    nodes = [
        {"name": "zeros", "op": "SparseToDense", "input": ["none", "one", "nothing", "zero"]},
        {"name": "shape", "op": "AddV2", "input": ["given", "zeros"]},
        {"name": "out", "op": "Reshape", "input": ["x", "shape"]},
        {"name": "unused", "op": "AnyOperation", "input": ["x"]},
    ]
    weights = {
        "none": np.zeros((0, 1), np.int32),
        "one": np.array([3], np.int32),
        "nothing": np.zeros(0, np.int32),
        "zero": np.array(0, np.int32),
        "given": np.array([1, -1, 3], np.int32),
    }
    with pytest.raises(BackboneError, match="unknown operation AnyOperation"):
        network(nodes, weights)
    made = network(nodes[:-1], weights)
    assert len(made.steps) == 2 and made(X)[0].shape == (2, 42, 3)


def test_damaged_files_are_refused(network, tmp_path):
    node = {"name": "out", "op": "Relu", "input": ["x"]}
    with pytest.raises(BackboneError, match="no network of TensorFlow"):
        network([{**node, "input": ["y"]}], {})(X)
    network([node], {"w": np.zeros(2, np.float32)})
    (tmp_path / "net.bin").write_bytes(b"12345")
    with pytest.raises(BackboneError, match="no network of TensorFlow"):
        read_tfjs(tmp_path / "net.json", tmp_path / "net.bin", ("out",))
    with pytest.raises(BackboneError, match="no network of TensorFlow"):
        read_tfjs(tmp_path / "net.bin", tmp_path / "net.bin", ("out",))
