"""Graphs on disk: read and tidied, looked through for layers, written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import Floats
from vidfit.errors import BackboneError

LAYERS = ("Conv", "Gemm", "MatMul")
"""Operations that hold most of a network's arithmetic and weights."""


def read(source: Path) -> Any:  # noqa: ANN401  (onnx has no types)
    """Read a graph.

    Raises
    ------
    BackboneError
        If the file is missing or is no graph from ``frames`` to ``tokens``.
    """
    import onnx

    try:
        model = onnx.load(source)
    except Exception as error:  # protobuf's own, which has no types, among others
        raise BackboneError(
            f"{source} cannot be read as an ONNX graph ({type(error).__name__}: {error}); write "
            "it with vidfit.runtime.onnx.export."
        ) from error
    ends = [end.name for end in (*model.graph.input, *model.graph.output)]
    if ends != ["frames", "tokens"]:
        raise BackboneError(
            f"{source} has inputs and outputs {ends}; valid is ['frames', 'tokens']. Write it "
            "with vidfit.runtime.onnx.export."
        )
    return model


def tidied(source: Path) -> Any:  # noqa: ANN401
    """Read a graph, fold batch norms and what is constant, and give every node a name.

    Raises
    ------
    BackboneError
        As `read`, or if ONNX Runtime cannot load the graph.
    """
    import onnx
    import onnxruntime

    read(source)
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "tidied.onnx")
        options.log_severity_level = 3
        with refused(source):
            onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        model = onnx.load(options.optimized_model_filepath)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return onnx.shape_inference.infer_shapes(model)


def write(model: Any, target: Path) -> None:  # noqa: ANN401
    """Check a graph and write it under another name first, so that a target is always whole.

    What the exporter noted of the source code beside nodes is left out: of a small network in
    8 bits it would be a twentieth.
    """
    import onnx

    for noted in (*model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del noted.metadata_props[:]
        noted.ClearField("doc_string")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
        new = Path(folder) / target.name
        onnx.save(model, new)
        onnx.checker.check_model(str(new))
        new.replace(target)


@contextmanager
def refused(source: Path) -> Iterator[None]:
    """Turn what onnx and its tools raise about a graph into one line that says what to do."""
    try:
        yield
    except BackboneError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        raise BackboneError(
            f"{source} cannot be compressed this way ({type(error).__name__}: {lines[0][:200]}); "
            "use another technique, or the graph as it is."
        ) from error


def weights(model: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what is stored in the graph, by name."""
    return {stored.name: stored for stored in model.graph.initializer}


def array(stored: Any) -> Floats:  # noqa: ANN401
    """Return a stored tensor as an array."""
    from onnx import numpy_helper

    values: Floats = numpy_helper.to_array(stored)
    return values


def layer_nodes(model: Any) -> list[Any]:  # noqa: ANN401
    """Return convolutions and products with a stored matrix of float32, in order."""
    import onnx

    stored = weights(model)

    def is_layer(node: Any) -> bool:  # noqa: ANN401
        if node.op_type not in LAYERS or node.input[1] not in stored:
            return False
        weight = stored[node.input[1]]
        is_matrix = len(weight.dims) == 2 or node.op_type == "Conv"
        return bool(is_matrix and weight.data_type == onnx.TensorProto.FLOAT)

    return [node for node in model.graph.node if is_layer(node)]


def channel_axis(node: Any) -> int:  # noqa: ANN401
    """Return the axis of a layer's weight that holds its output channels."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if node.op_type == "Conv" or transposed else 1


def channel_rows(weight: Floats, axis: int) -> Floats:
    """Return a weight as one row [R, K] for each output channel."""
    return np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
