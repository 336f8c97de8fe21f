"""An encoder of faces of one's own, from an ONNX file: ``onnx:FILE``.

It takes [B, 3, 112, 112] aligned as ArcFace wants it (Deng et al. 2019; eyes at 38 and 74 pixels
from the left, 52 from the top), RGB from -1 to 1, and gives [B, D]. What stands before and behind
it is written into the graph, so that engines run all of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from vidfit.backbones.faces.network import ALIGNED_PIXELS
from vidfit.backbones.graph import FILE_NAME, Graph, graph_backbone
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling
from vidfit.errors import BackboneError
from vidfit.files import cache_folder, sha256, write_whole
from vidfit.onnx_rules import check_network

SIDE_PIXELS = 112
LEFT, TOP, WINDOW = 24, 4, 173
"""The part of an aligned face in which eyes lie as ArcFace wants them."""

_INNER = "own_"


def load(source: str, *, download: bool = False) -> Graph:
    """Load an encoder of aligned faces.

    Parameters
    ----------
    source
        The file.
    download
        Has no effect: it is read from the disk only.

    Raises
    ------
    BackboneError
        When the file is missing, holds what no network does, or does not map pictures of 112 x 112
        to one vector each.
    """
    path = Path(source).expanduser()
    if not path.is_file():
        raise BackboneError(f"onnx:{source}: there is no such file")
    whole, dim, parameters = _around(path)
    digest = sha256(path)
    graph = write_whole(cache_folder("faces") / digest / FILE_NAME, whole)
    spec = BackboneSpec(
        name=f"onnx:{path.name}",
        family="onnx",
        architecture="cnn2d",
        sampling=Sampling(clip_len=1, num_clips=1),
        preprocessing=Preprocessing(ALIGNED_PIXELS, ALIGNED_PIXELS),
        dim=dim,
        parameters=parameters,
        gmacs_per_view=0.0,
        licence="unknown",
        commercial_use=None,
        source=f"file:{path.name}",
        revision=digest,
    )
    return graph_backbone(spec, graph, spec.name, "onnx")


def _around(path: Path) -> tuple[bytes, int, int]:
    """Return the graph from frames to tokens, their numbers, and how many weights it has."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import compose, version_converter

    try:
        own = onnx.load(path, load_external_data=False)
        (entry,), (answer,) = own.graph.input, own.graph.output
        own.ir_version = _IR_VERSION
        del own.graph.value_info[:]
        own.graph.output[0].ClearField("type")
        own.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        own.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
        own = version_converter.convert_version(own, _OPSET)
        own = compose.add_prefix(own, _INNER)
        before, after = _before(), _behind()
        joined = compose.merge_models(
            before, own, [("input", _INNER + entry.name)], prefix1="", prefix2=""
        )
        joined = compose.merge_models(joined, after, [(_INNER + answer.name, "vectors")])
        dim = _dim(joined)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / FILE_NAME
            file.write_bytes(joined.SerializeToString())
            check_network(file)
    except (DecodeError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
        raise BackboneError(
            f"{path} is no encoder of faces ({' '.join(str(error).split())[:300]}); give a network "
            f"that maps [B, 3, {SIDE_PIXELS}, {SIDE_PIXELS}] to [B, D]"
        ) from error
    weights = sum(int(onnx.numpy_helper.to_array(w).size) for w in own.graph.initializer)
    return joined.SerializeToString(), dim, weights


_OPSET, _IR_VERSION = 18, 8


def _model(name: str, nodes: list[Any], ends: tuple[Any, Any], constants: list[Any]) -> Any:  # noqa: ANN401
    from onnx import helper

    graph = helper.make_graph(nodes, name, [ends[0]], [ends[1]], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )


def _before() -> Any:  # noqa: ANN401  (onnx has no types)
    """Return the graph from frames to what the network takes."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    def whole(name: str, *values: int) -> Any:  # noqa: ANN401
        return numpy_helper.from_array(np.array(values, np.int64), name)

    half = numpy_helper.from_array(np.array(127.5, np.float32), "half")
    nodes = [
        helper.make_node("Reshape", ["frames", "shape"], ["flat"]),
        helper.make_node("Slice", ["flat", "starts", "ends", "axes"], ["window"]),
        helper.make_node("Cast", ["window"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["grey"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["planes", "", "", "sizes"], ["small"], mode="linear",
                         axes=[2, 3]),
        helper.make_node("Sub", ["small", "half"], ["centred"]),
        helper.make_node("Div", ["centred", "half"], ["input"]),
    ]  # fmt: skip
    constants = [
        half,
        whole("shape", -1, ALIGNED_PIXELS, ALIGNED_PIXELS, 3),
        whole("starts", TOP, LEFT),
        whole("ends", TOP + WINDOW, LEFT + WINDOW),
        whole("axes", 1, 2),
        whole("sizes", SIDE_PIXELS, SIDE_PIXELS),
    ]
    shape: list[str | int | None] = ["batch", 1, ALIGNED_PIXELS, ALIGNED_PIXELS, 3]
    inner: list[str | int | None] = ["batch", 3, SIDE_PIXELS, SIDE_PIXELS]
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, shape)
    made = helper.make_tensor_value_info("input", TensorProto.FLOAT, inner)
    return _model("before", nodes, (frames, made), constants)


def _behind() -> Any:  # noqa: ANN401
    """Return the graph from vectors to unit vectors as tokens."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Flatten", ["vectors"], ["rows"], axis=1),
        helper.make_node("ReduceL2", ["rows", "along"], ["length"], keepdims=1),
        helper.make_node("Add", ["length", "least"], ["above"]),
        helper.make_node("Div", ["rows", "above"], ["unit"]),
        helper.make_node("Unsqueeze", ["unit", "along"], ["tokens"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([1], np.int64), "along"),
        numpy_helper.from_array(np.array(1e-9, np.float32), "least"),
    ]
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)
    tokens = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["batch", 1, "dim"])
    return _model("behind", nodes, (vectors, tokens), constants)


def _dim(model: Any) -> int:  # noqa: ANN401
    """Run two grey pictures; return how many numbers each gives."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    frames = np.full((2, 1, ALIGNED_PIXELS, ALIGNED_PIXELS, 3), 128, np.uint8)
    tokens = session.run(["tokens"], {"frames": frames})[0]
    if tokens.ndim != 3 or tokens.shape[:2] != (2, 1):
        raise ValueError(f"two pictures give {tokens.shape}")
    return int(tokens.shape[2])
