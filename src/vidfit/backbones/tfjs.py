"""Networks in the form of TensorFlow.js, read as torch modules; no TensorFlow, no code is run.

A ``.json`` names arithmetic, a ``.bin`` has the weights, float16 or float32. Operations are those
of `OPERATIONS`; others are refused. Pictures lie as TensorFlow has them, [B, H, W, C].
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.documents import json_in
from vidfit.errors import BackboneError

MOST_NODES = 20_000

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GraphStep:
    """One operation: what it takes (``name:output``), and its attributes as plain values."""

    name: str
    operation: str
    takes: tuple[str, ...]
    attributes: Attributes


class TfjsNetwork(nn.Module):
    """A graph of operations.

    Parameters
    ----------
    steps
        In an order in which all that a step takes was made before.
    constants
        By name; those of floating point with an axis or more are the weights.
    wanted
        Names of what ``forward`` returns.
    """

    def __init__(
        self, steps: Sequence[GraphStep], constants: Mapping[str, Tensor], wanted: Sequence[str]
    ) -> None:
        super().__init__()
        self.steps, self.wanted = tuple(steps), tuple(wanted)
        # Shapes, axes and paddings are numbers, not tensors, to whoever exports the network.
        self.numbers = {
            name: tensor.tolist()
            for name, tensor in constants.items()
            if not tensor.is_floating_point() or tensor.ndim == 0
        }
        learned = sorted(constants.keys() - self.numbers.keys())
        self.place = {name: f"weight_{i}" for i, name in enumerate(learned)}
        for name, key in self.place.items():
            self.register_parameter(key, nn.Parameter(constants[name], requires_grad=False))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the wanted tensors of images."""
        made: dict[str, Any] = {}
        for step in self.steps:
            if step.operation == "Placeholder":
                made[step.name] = images
                continue
            inputs = [self._input(name, made) for name in step.takes]
            made[step.name] = OPERATIONS[step.operation](inputs, step.attributes)
        return tuple(self._input(name, made) for name in self.wanted)

    def _input(self, name: str, made: Mapping[str, Any]) -> Any:  # noqa: ANN401
        plain, _, output = name.partition(":")
        if plain in self.numbers:
            return self.numbers[plain]
        found = made[plain] if plain in made else getattr(self, self.place[plain])
        return found[int(output or 0)] if isinstance(found, tuple) else found


def read_tfjs(json_path: Path, bin_path: Path, wanted: Sequence[str]) -> TfjsNetwork:
    """Read a network.

    Parameters
    ----------
    json_path, bin_path
        The two files.
    wanted
        Names of operations whose results the network gives.

    Raises
    ------
    BackboneError
        When a file is damaged, or holds an operation that is not known here.
    """
    try:
        document = json_in(json_path.read_text(encoding="utf-8"))
        nodes = document["modelTopology"]["node"]
        weights = [one for group in document["weightsManifest"] for one in group["weights"]]
        if len(nodes) > MOST_NODES:
            raise ValueError(f"{len(nodes)} operations")
        constants = _constants(weights, bin_path.read_bytes())
        steps = [_step(node) for node in nodes if node["op"] != "Const"]
        return TfjsNetwork(*_folded(_needed(steps, wanted), constants), wanted)
    except (KeyError, TypeError, ValueError, IndexError, OSError, RuntimeError) as error:
        raise BackboneError(
            f"{json_path} and {bin_path.name} are no network of TensorFlow.js that vidfit can "
            f"read ({type(error).__name__}: {error})"
        ) from error


# ---------------------------------------------------------------- reading


def _constants(weights: Sequence[Attributes], content: bytes) -> dict[str, Tensor]:
    found, at = {}, 0
    for one in weights:
        kept = one.get("quantization", {}).get("dtype", one["dtype"])
        dtype = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}[kept]
        count = int(np.prod(one["shape"], dtype=np.int64))
        array = np.frombuffer(content, dtype, count, at).reshape(one["shape"])
        at += array.nbytes
        wide = np.int64 if one["dtype"] == "int32" else np.float32
        found[str(one["name"])] = torch.from_numpy(array.astype(wide))
    if at != len(content):
        raise ValueError(f"{len(content)} bytes of weights instead of {at}")
    return found


def _step(node: Attributes) -> GraphStep:
    operation = str(node["op"])
    if operation not in OPERATIONS and operation != "Placeholder":
        raise ValueError(f"unknown operation {operation}")
    attributes = {name: _plain(value) for name, value in node.get("attr", {}).items()}
    takes = tuple(str(name) for name in node.get("input", []) if not name.startswith("^"))
    return GraphStep(str(node["name"]), operation, takes, attributes)


def _plain(value: Attributes) -> Any:  # noqa: ANN401
    """Return an attribute as a number, a text, or a list of them."""
    if "list" in value:
        return [_plain({kind: item}) for kind, items in value["list"].items() for item in items]
    if "s" in value:
        return base64.b64decode(value["s"]).decode("ascii")
    if "i" in value:
        return int(value["i"])
    return value.get("f", value.get("b"))


def _needed(steps: Sequence[GraphStep], wanted: Sequence[str]) -> list[GraphStep]:
    """Return the steps that lead to what is wanted, each after what it takes."""
    by_name, ordered, seen = {step.name: step for step in steps}, [], set[str]()
    waiting = [(name.partition(":")[0], False) for name in reversed(wanted)]
    while waiting:
        name, ready = waiting.pop()
        if ready:
            ordered.append(by_name[name])
        elif name in by_name and name not in seen:
            seen.add(name)
            waiting.append((name, True))
            waiting += [(one.partition(":")[0], False) for one in by_name[name].takes]
    return ordered


def _folded(
    steps: Sequence[GraphStep], constants: Mapping[str, Tensor]
) -> tuple[list[GraphStep], dict[str, Tensor]]:
    """Compute what depends on no picture, and leave out constants that nothing takes."""
    known, left = dict(constants), []
    for step in steps:
        if step.operation != "Placeholder" and all(name in known for name in step.takes):
            inputs = [
                value if value.is_floating_point() else value.tolist()
                for value in (known[name] for name in step.takes)
            ]
            known[step.name] = torch.as_tensor(OPERATIONS[step.operation](inputs, step.attributes))
        else:
            left.append(step)
    taken = {name.partition(":")[0] for step in left for name in step.takes}
    if missing := sorted(taken - known.keys() - {step.name for step in left}):
        raise ValueError(f"nothing makes {missing[0]}")
    return left, {name: value for name, value in known.items() if name in taken}


# ---------------------------------------------------------------- arithmetic


def _nchw(x_BHWC: Tensor) -> Tensor:
    return x_BHWC.permute(0, 3, 1, 2)


def _nhwc(x_BCHW: Tensor) -> Tensor:
    return x_BCHW.permute(0, 2, 3, 1)


def _same(
    x_BCHW: Tensor, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Sequence[int]:
    """Return left, right, top and bottom padding of TensorFlow's ``SAME``."""
    pads: list[int] = []
    for size, side, stride, hole in zip(x_BCHW.shape[2:], kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (side - 1) * hole + 1 - size, 0)
        pads = [total // 2, total - total // 2, *pads]
    return pads


def _padded(
    x_BCHW: Tensor, kernel: Sequence[int], attributes: Attributes, value: float = 0.0
) -> Tensor:
    strides = attributes["strides"][1:3]
    dilations = (attributes.get("dilations") or [1, 1, 1, 1])[1:3]
    if attributes["padding"] == "VALID":
        return x_BCHW
    if attributes["padding"] != "SAME":
        raise ValueError(f"padding {attributes['padding']}")
    pads = _same(x_BCHW, kernel, strides, dilations)
    return functional.pad(x_BCHW, pads, value=value) if any(pads) else x_BCHW


def _convolution(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x_BCHW, weight_HWIO = _nchw(inputs[0]), inputs[1]
    x_BCHW = _padded(x_BCHW, weight_HWIO.shape[:2], attributes)
    weight_OIHW = weight_HWIO.permute(3, 2, 0, 1).contiguous()
    return _nhwc(
        functional.conv2d(
            x_BCHW,
            weight_OIHW,
            stride=attributes["strides"][1:3],
            dilation=(attributes.get("dilations") or [1, 1, 1, 1])[1:3],
        )
    )


def _depthwise(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x_BCHW, weight_HWIM = _nchw(inputs[0]), inputs[1]
    height, width, channels, times = weight_HWIM.shape
    x_BCHW = _padded(x_BCHW, (height, width), attributes)
    weight = weight_HWIM.permute(2, 3, 0, 1).reshape(channels * times, 1, height, width)
    return _nhwc(
        functional.conv2d(
            x_BCHW,
            weight.contiguous(),
            stride=attributes["strides"][1:3],
            dilation=(attributes.get("dilations") or [1, 1, 1, 1])[1:3],
            groups=channels,
        )
    )


def _transposed(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    """Apply the gradient of a convolution: up-sampling with weights."""
    size, weight_HWOI, x_BHWC = inputs
    x_BCHW = functional.conv_transpose2d(
        _nchw(x_BHWC), weight_HWOI.permute(3, 2, 0, 1), stride=attributes["strides"][1:3]
    )
    top, left = (max(x_BCHW.shape[2 + axis] - size[1 + axis], 0) // 2 for axis in (0, 1))
    return _nhwc(x_BCHW[:, :, top : top + size[1], left : left + size[2]])


def _fused(plain: Callable[[Sequence[Any], Attributes], Tensor]) -> Any:  # noqa: ANN401
    """Return an operation with the bias and the activation that were joined to it."""

    def run(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
        x, rest = plain(inputs[:2], attributes), list(inputs[2:])
        for name in attributes["fused_ops"]:
            if name == "BiasAdd":
                x = x + rest.pop(0)
            elif name == "Prelu":
                x = _prelu([x, rest.pop(0)], attributes)
            else:
                x = OPERATIONS[name]([x], attributes)
        return x

    return run


def _matmul(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    left: Tensor = inputs[0].T if attributes.get("transpose_a") else inputs[0]
    right: Tensor = inputs[1].T if attributes.get("transpose_b") else inputs[1]
    return left @ right


def _prelu(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x: Tensor = inputs[0]
    slope: Tensor = inputs[1]
    return functional.relu(x) - slope * functional.relu(-x)


def _pool(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    kernel, strides = attributes["ksize"][1:3], attributes["strides"][1:3]
    x_BCHW = _padded(_nchw(inputs[0]), kernel, attributes, -torch.inf)
    return _nhwc(functional.max_pool2d(x_BCHW, kernel, strides))


def _mean_pool(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    kernel, strides = attributes["ksize"][1:3], attributes["strides"][1:3]
    if attributes["padding"] != "VALID":
        raise ValueError("a mean over the picture's edge")
    return _nhwc(functional.avg_pool2d(_nchw(inputs[0]), kernel, strides))


def _pad(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x, pairs, *value = inputs
    pads = [side for pair in reversed(pairs) for side in pair]
    return functional.pad(x, pads, value=float(value[0]) if value else 0.0)


def _resize(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x_BHWC, size = inputs
    if attributes.get("align_corners") or not attributes.get("half_pixel_centers"):
        raise ValueError("scaling by other than centres of pixels")
    return _nhwc(functional.interpolate(_nchw(x_BHWC), tuple(size), mode="bilinear"))


def _reshape(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    x, shape = inputs
    # What was written for one picture holds for any number of them.
    result: Tensor = x.reshape([x.shape[0], *shape[1:]] if shape[0] in (1, -1) else shape)
    return result


def _filled(inputs: Sequence[Any], attributes: Attributes) -> Tensor:
    """Return one value everywhere but where others are named."""
    places, shape, values, default = inputs
    result = torch.full(tuple(shape), default)
    for place, value in zip(places, values, strict=True):
        result[tuple(place)] = value
    return result


def _sum(inputs: Sequence[Any], attributes: Attributes) -> Any:  # noqa: ANN401
    total = torch.as_tensor(inputs[0])
    for one in inputs[1:]:
        total = total + torch.as_tensor(one)
    return total


OPERATIONS: dict[str, Callable[[Sequence[Any], Attributes], Any]] = {
    "Add": _sum,
    "AddN": _sum,
    "AddV2": _sum,
    "AvgPool": _mean_pool,
    "BiasAdd": _sum,
    "ConcatV2": lambda x, _: torch.cat(list(x[:-1]), dim=int(x[-1])),
    "Conv2D": _convolution,
    "Conv2DBackpropInput": _transposed,
    "DepthwiseConv2dNative": _depthwise,
    "Elu": lambda x, _: functional.elu(x[0]),
    "FusedDepthwiseConv2dNative": _fused(_depthwise),
    "Identity": lambda x, _: x[0],
    "LeakyRelu": lambda x, a: functional.leaky_relu(x[0], a["alpha"]),
    "MatMul": _matmul,
    "MaxPool": _pool,
    "Mul": lambda x, _: x[0] * x[1],
    "Pad": _pad,
    "PadV2": _pad,
    "Prelu": _prelu,
    "Relu": lambda x, _: functional.relu(x[0]),
    "Relu6": lambda x, _: torch.clamp(x[0], 0.0, 6.0),
    "Reshape": _reshape,
    "ResizeBilinear": _resize,
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
    "SparseToDense": _filled,
    "SplitV": lambda x, _: torch.split(x[0], x[1], dim=int(x[2])),
    "Sub": lambda x, _: x[0] - x[1],
    "Transpose": lambda x, _: x[0].permute(*x[1]),
    "_FusedConv2D": _fused(_convolution),
    "_FusedMatMul": _fused(_matmul),
}
"""Operation of TensorFlow -> function of its inputs and attributes."""
