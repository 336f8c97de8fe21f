"""Pixels that stay integers: a normalisation that only restates them is left out.

A mean and a deviation that are the same in all channels, such as 127 and 128, map a pixel v to
(v - 127) / 128, and the quantization of that maps it back to v.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidfit.compression import onnx_graph
from vidfit.contracts import Floats

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
