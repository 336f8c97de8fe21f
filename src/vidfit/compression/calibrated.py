"""A graph with all that integers need: scales of weights, ranges of activations, new biases.

Shape letters: B views, T frames, H height, W width, C channels, R output channels of a layer, K
weights of one of them, I input channels.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.compression import onnx_graph, ranges
from vidfit.compression.clipping import check_clipping, row_scales
from vidfit.contracts import Floats, Frames
from vidfit.errors import BackboneError

BETWEEN = ("Add", "Clip", "Relu", "MaxPool", "AveragePool", "Concat")
"""Operations that have integer kernels, and stay integer when all that they take is."""

LARGEST = 127

PAIR = 127.5
"""Largest sum of two weights of one sign, before rounding: 255 * 128 fits in 16 bits with a sign.

AVX2 without VNNI adds two products of uint8 and int8 in 16 bits and saturates. The usual remedy
halves all weights (``reduce_range``); this one shrinks a channel by what its own weights need.
Depthwise convolutions have kernels that do not add in pairs.
"""


@dataclass(frozen=True)
class Layer:
    """Steps of a layer's weights, and its bias without the mean error of their rounding."""

    axis: int
    step_R: Floats
    bias_R: Floats | None


@dataclass(frozen=True)
class CalibratedGraph:
    """A graph, its layers by name, and the range of every tensor that may become integers."""

    model: Any
    layers: dict[str, Layer]
    limits: dict[str, tuple[float, float]]

    def quantized(self) -> Any:  # noqa: ANN401
        """Return the model with its layers, and what lies between them, in integers."""
        import onnx
        from onnxruntime.quantization import QDQQuantizer, QuantType
        from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        data = {
            name: TensorData(lowest=np.float32(low), highest=np.float32(high))
            for name, (low, high) in self.limits.items()
        }
        nodes = with_between(model, self.layers)
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, data),
            nodes_to_quantize=[node.name for node in nodes],
            nodes_to_exclude=[],
            op_types_to_quantize=sorted({node.op_type for node in nodes}),
            extra_options={"TensorQuantOverrides": self._chosen(model)},
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
        return without_floats(quantizer.model.model)

    def _chosen(self, model: Any) -> dict[str, list[dict[str, Any]]]:  # noqa: ANN401
        """Set the biases, and return the scales of weights as the toolkit wants them."""
        from onnx import numpy_helper

        stored = onnx_graph.weights(model)
        overrides = {}
        for node in onnx_graph.layer_nodes(model):
            layer = self.layers[node.name]
            overrides[node.input[1]] = [
                {"axis": layer.axis, "scale": step, "zero_point": np.int8(0)}
                for step in layer.step_R
            ]
            if layer.bias_R is not None:
                name = node.input[2]
                stored[name].CopyFrom(numpy_helper.from_array(layer.bias_R, name))
        return overrides


def calibrate(source: Path, frames_BTHWC: Frames, clipping: str) -> CalibratedGraph:
    """Read a graph and choose all scales, on views like those to come.

    Raises
    ------
    BackboneError
        If it has no layers, or there are no views or finite values to choose on.
    """
    check_clipping(clipping)
    model = onnx_graph.tidied(source)
    nodes = onnx_graph.layer_nodes(model)
    if not nodes:
        raise BackboneError(
            f"{source} has no convolution and no product by a stored matrix: there is nothing to "
            "quantize. Use the graph as it is."
        )
    stored = onnx_graph.weights(model)
    between = with_between(model, {node.name for node in nodes})
    names = {name for node in between for name in (*node.input, *node.output)} - {"", *stored}
    seen = ranges.observe(model, names, frames_BTHWC)
    limits = {name: ranges.limits(tensor, clipping) for name, tensor in seen.items()}
    limits |= _of_pictures(model, nodes, frames_BTHWC)
    layers = {node.name: _layer(node, stored, seen[node.input[0]], clipping) for node in nodes}
    return CalibratedGraph(model, layers, limits)


def with_between(model: Any, names: Collection[str]) -> list[Any]:  # noqa: ANN401
    """Return the nodes of these names, and those that only join the outputs of such nodes."""
    integer: set[str] = set()
    nodes = []
    for node in model.graph.node:
        # The other inputs of a Clip are its bounds.
        inputs = node.input[:1] if node.op_type == "Clip" else node.input
        if node.name in names or (node.op_type in BETWEEN and integer.issuperset(inputs)):
            nodes.append(node)
            integer.update(node.output)
    return nodes


def matrix_steps(weight_RK: Floats, clipping: str, paired: bool = True) -> Floats:
    """Return the steps [R] of int8 weights: clipped, and so that no pair of products saturates."""
    scale_R = row_scales(weight_RK, ranges.BITS, True, clipping)
    step_R = scale_R / LARGEST
    if paired and weight_RK.shape[1] > 1:
        clipped_RK = np.clip(weight_RK, -scale_R[:, None], scale_R[:, None])
        two_R = np.maximum(_two_largest(clipped_RK), _two_largest(-clipped_RK))
        step_R = np.maximum(step_R, two_R / PAIR)
    return step_R.astype(np.float32)


def _two_largest(weight_RK: Floats) -> Floats:
    sums: Floats = np.maximum(np.partition(weight_RK, -2, axis=1)[:, -2:], 0).sum(axis=1)
    return sums


def _layer(
    node: Any,  # noqa: ANN401
    stored: dict[str, Any],
    seen: ranges.TensorStatistics,
    clipping: str,
) -> Layer:
    axis = onnx_graph.channel_axis(node)
    weight = onnx_graph.array(stored[node.input[1]])
    rows_RK = onnx_graph.channel_rows(weight, axis)
    is_depthwise = node.op_type == "Conv" and weight.shape[1] == 1
    step_R = matrix_steps(rows_RK, clipping, paired=not is_depthwise)
    if len(node.input) < 3 or node.input[2] not in stored:
        return Layer(axis, step_R, None)
    rounded_RK = np.clip(np.rint(rows_RK / step_R[:, None]), -LARGEST, LARGEST) * step_R[:, None]
    error_RI = (rows_RK - rounded_RK).reshape(*np.moveaxis(weight, axis, 0).shape[:2], -1).sum(2)
    bias_R = onnx_graph.array(stored[node.input[2]])
    return Layer(axis, step_R, (bias_R + _mean_output(error_RI, seen.mean_C)).astype(np.float32))


def _mean_output(weight_RI: Floats, mean_C: Floats | float) -> Floats:
    """Return what a layer gives on the mean of its input; each group sees I of the C channels."""
    means_C = np.asarray(mean_C)
    groups = len(means_C) // weight_RI.shape[1]
    grouped_GRI = weight_RI.reshape(groups, -1, weight_RI.shape[1])
    means_GI1 = means_C.reshape(groups, -1, 1)
    output_R: Floats = (grouped_GRI @ means_GI1).reshape(-1)
    return output_R


def _of_pictures(model: Any, nodes: list[Any], frames_BTHWC: Frames) -> dict[str, Any]:  # noqa: ANN401
    """Return the exact range of what the first layers read: that of pixels from 0 to 255."""
    made = {name: node for node in model.graph.node for name in node.output}
    layers = {node.name for node in nodes}

    def is_picture(name: str) -> bool:
        node = made.get(name)
        return node is None or (
            node.name not in layers and all(is_picture(source) for source in node.input)
        )

    names = {node.input[0] for node in nodes if is_picture(node.input[0])}
    ends_BTHWC = np.zeros((2, *frames_BTHWC.shape[1:]), np.uint8)
    ends_BTHWC[1] = 255
    seen = ranges.observe(model, names, ends_BTHWC)
    return {name: ranges.limits(tensor, "minmax") for name, tensor in seen.items()}


OPERATIONS = {"Mul": np.multiply, "Add": np.add, "Sub": np.subtract, "Div": np.divide}


def without_floats(model: Any) -> Any:  # noqa: ANN401
    """Let a DequantizeLinear read pixels, where they reach it unchanged; then drop unused nodes.

    What is left out has to map each value from 0 to 255, in every channel, to itself.
    """
    made = {name: node for node in model.graph.node for name in node.output}
    stored = onnx_graph.weights(model)
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in made:
            pixels = _same_pixels(made[node.input[0]], made, stored)
            node.input[0] = pixels or node.input[0]
    _drop_unused(model)
    return model


def _same_pixels(node: Any, made: dict[str, Any], stored: dict[str, Any]) -> str:  # noqa: ANN401
    """Return the uint8 tensor that a QuantizeLinear restates, or nothing."""
    if node.op_type != "QuantizeLinear":
        return ""
    scale, zero = (onnx_graph.array(stored[name]) for name in node.input[1:3])
    steps = []
    name = node.input[0]
    while name in made and made[name].op_type in OPERATIONS:
        steps.append(made[name])
        constants = [i for i in made[name].input if i in stored]
        if len(constants) != 1 or constants[0] == made[name].input[0]:
            return ""
        name = made[name].input[0]
    if name not in made or made[name].op_type != "Cast":
        return ""
    pixels: Floats = np.arange(256, dtype=np.float32)
    for step in reversed(steps):
        constant = onnx_graph.array(stored[step.input[1]]).ravel()
        if np.ptp(constant) > 0:
            return ""
        pixels = OPERATIONS[step.op_type](pixels, constant[0])
    quantized = np.clip(np.rint(pixels / scale) + zero, 0, 255)
    return str(made[name].input[0]) if np.array_equal(quantized, np.arange(256)) else ""


def _drop_unused(model: Any) -> None:  # noqa: ANN401
    used = {output.name for output in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if used.intersection(node.output):
            kept.append(node)
            used.update(node.input)
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    stored = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(stored)
