"""Weights stored in fewer bits, and computed with as floats: smaller files, as fast as before.

Integers become floats by Cast and Mul, which ONNX Runtime computes once, when it loads the file.
DequantizeLinear says the same, but is left in place and computed in each run, which takes longer
than the network itself (``python -m benchmarks.quantize``).

Shape letters: R output channels of a layer, K weights of one of them, G rows and blocks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from vidfit.compression import onnx_graph
from vidfit.compression.clipping import check_clipping, row_scales, steps
from vidfit.contracts import Floats
from vidfit.errors import BackboneError

SMALLEST = 1024
"""Values that a tensor has at least to be stored in fewer bits; smaller ones weigh nothing."""

BLOCK = 32
"""Weights that share a scale at 4 bits, or as near to that as divides a channel's weights."""

OPSET = 21
"""ONNX's version that has integers of 4 bits."""

LARGEST_HALF = float(np.finfo(np.float16).max)
LEAST_HALF = float(np.finfo(np.float16).smallest_subnormal)


def store_weights(
    source: Path, target: Path, bits: Literal[16, 8, 4], clipping: str = "mse"
) -> None:
    """Write the graph with its weights in fewer bits; they are computed with as float32.

    Of 16 bits, all tensors are float16. Of 8, weights of layers are integers with a scale for
    each output channel; of 4, with a scale for each block of about `BLOCK`, and depthwise
    convolutions, which have less than a block for a channel, keep 8. Biases and what is small
    stay float32, and tensors that belong to no layer are float16.

    Parameters
    ----------
    source, target
        ONNX files, as `vidfit.runtime.onnx.export` writes them; the target is written whole or
        not at all, and is the same for the same input.
    bits
        16, 8 or 4.
    clipping
        A key of `vidfit.compression.clipping.CLIPPINGS`, by which scales are chosen.

    Raises
    ------
    BackboneError
        If the graph cannot be read, or the number of bits or the clipping is not known.
    """
    if bits not in (16, 8, 4):
        raise BackboneError(f"Weights were to be stored in {bits} bits; valid are 16, 8 and 4.")
    check_clipping(clipping)
    with onnx_graph.refused(source):
        model = _with_opset(onnx_graph.tidied(source), bits)
        layers = {node.input[1]: node for node in onnx_graph.layer_nodes(model)}
        for tensor in _large(model):
            if bits < 16 and tensor.name in layers:
                axis = onnx_graph.channel_axis(layers[tensor.name])
                _store_integers(model, tensor, axis, bits, clipping)
            else:
                _store_half(model, tensor)
        onnx_graph.write(model, target)


def block_size(count: int) -> int | None:
    """Return the divisor of a channel's weights that is nearest to `BLOCK`, if one is near."""
    near = [size for size in range(BLOCK // 2, 2 * BLOCK + 1) if count % size == 0]
    return min(near, key=lambda size: abs(size - BLOCK), default=None)


def _with_opset(model: Any, bits: int) -> Any:  # noqa: ANN401
    from onnx import version_converter

    version = next(entry.version for entry in model.opset_import if not entry.domain)
    if bits > 4 or version >= OPSET:
        return model
    return version_converter.convert_version(model, OPSET)


def _large(model: Any) -> list[Any]:  # noqa: ANN401
    import onnx

    return [
        tensor
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST
    ]


def _store_half(model: Any, tensor: Any) -> None:  # noqa: ANN401
    from onnx import helper, numpy_helper

    values = onnx_graph.array(tensor)
    if not np.abs(values).max() <= LARGEST_HALF:
        return
    half = f"{tensor.name}_half"
    nodes = [helper.make_node("Cast", [half], [tensor.name], name=f"{tensor.name}_cast", to=1)]
    _replace(model, tensor, nodes, [numpy_helper.from_array(values.astype(np.float16), half)])


def _store_integers(
    model: Any,  # noqa: ANN401
    tensor: Any,  # noqa: ANN401
    axis: int,
    bits: int,
    clipping: str,
) -> None:
    from onnx import TensorProto, helper, numpy_helper

    weight = onnx_graph.array(tensor)
    count = weight.size // weight.shape[axis]
    size = block_size(count) if bits == 4 else None
    shape, block_axis = _blocked(weight.shape, axis, size or count)
    moved = np.moveaxis(weight.reshape(shape), block_axis, -1)
    codes_GK, scale_G = _rounded(moved.reshape(-1, moved.shape[-1]), bits if size else 8, clipping)
    codes = np.moveaxis(codes_GK.reshape(moved.shape), -1, block_axis)
    scale = np.expand_dims(scale_G.reshape(moved.shape[:-1]), block_axis)
    name, kind = tensor.name, TensorProto.INT4 if size else TensorProto.INT8
    stored = [
        helper.make_tensor(f"{name}_codes", kind, codes.shape, _bytes(codes, kind), raw=True),
        numpy_helper.from_array(scale, f"{name}_scale"),
        numpy_helper.from_array(np.array(weight.shape, np.int64), f"{name}_shape"),
    ]
    _replace(model, tensor, _restoring(name), stored)


def _restoring(name: str) -> list[Any]:
    """Return the nodes that multiply codes with their scales and give them the weight's shape.

    By way of int32: OpenVINO takes an int8 or int4 that is cast to float for a weight that its
    own kernels restore, and those get convolutions wrong: ``python -m benchmarks.quantize`` shows
    EfficientNet-Lite0 so (2026.4: NaN or nonsense, in most runs but not in all).
    """
    from onnx import TensorProto, helper

    links: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Cast", ["codes"], "integers", {"to": TensorProto.INT32}),
        ("Cast", ["integers"], "counts", {"to": TensorProto.FLOAT}),
        ("Cast", ["scale"], "step", {"to": TensorProto.FLOAT}),
        ("Mul", ["counts", "step"], "blocks", {}),
        ("Reshape", ["blocks", "shape"], "", {}),
    ]
    return [
        helper.make_node(
            kind,
            [f"{name}_{source}" for source in sources],
            [f"{name}_{made}" if made else name],
            f"{name}_{made}_{kind}",
            **attributes,
        )
        for kind, sources, made, attributes in links
    ]


def _blocked(shape: tuple[int, ...], axis: int, size: int) -> tuple[tuple[int, ...], int]:
    """Return the shape in which one axis runs over a block, and that axis."""
    if axis == 0:
        return (shape[0], -1, size), 2
    return (-1, size, shape[1]), 1


def _rounded(rows_GK: Floats, bits: int, clipping: str) -> tuple[Any, Any]:
    """Return codes [G, K], and scales [G] as they are kept: codes are rounded by these.

    Scales of blocks are float16: they are many. Those of channels are float32.
    """
    kept = np.float32 if bits == 8 else np.float16
    largest = steps(bits, signed=True)
    step_G = row_scales(rows_GK, bits, True, clipping) / largest
    scale_G = np.clip(step_G, LEAST_HALF, LARGEST_HALF).astype(kept)
    counts_GK = np.rint(rows_GK / scale_G[:, None].astype(np.float32))
    return np.clip(counts_GK, -largest, largest).astype(np.int8), scale_G


def _bytes(codes: Any, kind: int) -> bytes:  # noqa: ANN401
    """Return integers as ONNX stores them: of 4 bits, two in a byte, the first one below."""
    from onnx import TensorProto

    flat = codes.ravel()
    if kind != TensorProto.INT4:
        return bytes(flat.tobytes())
    pairs = np.pad(flat, (0, flat.size % 2)).view(np.uint8).reshape(-1, 2) & 15
    return bytes((pairs[:, 0] | pairs[:, 1] << 4).tobytes())


def _replace(model: Any, tensor: Any, nodes: list[Any], stored: list[Any]) -> None:  # noqa: ANN401
    """Put tensors and the nodes that restore one of its name in a tensor's place."""
    model.graph.initializer.remove(tensor)
    model.graph.initializer.extend(stored)
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
