"""What an ONNX file may hold that comes with a model: arithmetic whose size its shapes decide.

An engine would run a loop of 2^62 rounds, read weights from other files, and make a tensor as
large as a pixel says. A network that vidfit wrote has none of these. What is left takes as much
memory for one view as for another, so that trying one tells all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ELEMENTWISE = """
    Abs Acos Add And Asin Atan BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike
    Ceil Celu Clip Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid
    HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not
    Or PRelu Pow Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum
    Swish Tan Tanh ThresholdedRelu Where Xor
"""
_REDUCING = """
    ArgMax ArgMin CumSum LogSoftmax ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Softmax
"""
_LAYERS = """
    Attention AveragePool BatchNormalization Conv ConvInteger ConvTranspose DequantizeLinear
    Dropout DynamicQuantizeLinear Einsum GRU Gemm GlobalAveragePool GlobalMaxPool
    GroupNormalization InstanceNormalization LRN LSTM LayerNormalization LpNormalization LpPool
    MatMul MatMulInteger MaxPool MeanVarianceNormalization QLinearConv QLinearMatMul
    QuantizeLinear RMSNormalization RNN RotaryEmbedding
"""
_SHAPING = """
    Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather GatherElements
    GatherND OneHot Pad Range Reshape Resize ScatterElements ScatterND Shape Size Slice
    SpaceToDepth Split Squeeze Tile TopK Transpose Trilu Unsqueeze
"""
OPERATIONS = frozenset(f"{_ELEMENTWISE} {_REDUCING} {_LAYERS} {_SHAPING}".split())
"""Of ONNX's own domain; control flow, sequences, text and random numbers are not here."""

_SIZED = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Resize": (1, 2, 3),
    "Tile": (1,),
}
"""Operation -> inputs whose values decide how large its output is."""


def check_network(path: Path) -> None:
    """Refuse an ONNX file that vidfit would not have written as a network of frames.

    Raises
    ------
    ValueError
        If it is no ONNX file, reads other files, or holds other operations than `OPERATIONS`
        or a size that depends on pixels.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except RecursionError:
        raise ValueError(f"{path.name} is no ONNX file (it is nested too deep)") from None
    except DecodeError as error:
        raise ValueError(f"{path.name} is no ONNX file ({error})") from error
    if any(_outside(message) for message in _messages(model)):
        raise ValueError(f"{path.name} keeps weights in other files, whose content nobody checks")
    if model.functions or model.training_info:
        raise ValueError(f"{path.name} brings functions of its own, which networks have no use for")
    graph = model.graph
    for names, found in (("frames", graph.input), ("tokens", graph.output)):
        if [value.name for value in found] != [names]:
            raise ValueError(f"{path.name} has {[v.name for v in found]!s:.60}; give [{names!r}]")
    _check_operations(graph, path.name)
    _check_sizes(graph, path.name)


def _check_operations(graph: Any, name: str) -> None:  # noqa: ANN401  (onnx has no types)
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATIONS:
            raise ValueError(
                f"{name} holds the operation {f'{node.domain} {node.op_type}'.strip()[:60]!r}, "
                "which no network of vidfit has: do not trust it"
            )


def _check_sizes(graph: Any, name: str) -> None:  # noqa: ANN401
    """Refuse sizes that are computed from pixels."""
    seen = {value.name for value in graph.input}
    made = seen | {tensor.name for tensor in graph.initializer} | {""}
    made |= {tensor.values.name for tensor in graph.sparse_initializer}
    for node in graph.node:
        if not made.issuperset(node.input):
            raise ValueError(f"{name} has a node {node.name[:60]!r} whose inputs come after it")
        made.update(node.output)
        sized = _SIZED.get(node.op_type, ())
        if seen.intersection(node.input[i] for i in sized if i < len(node.input)):
            raise ValueError(
                f"{name} makes a tensor by {node.op_type!r} whose size depends on pixels: do not "
                "trust it"
            )
        # A shape is known before any pixel is.
        if node.op_type not in ("Shape", "Size") and seen.intersection(node.input):
            seen.update(node.output)


def _messages(message: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield a message of protobuf and all within it, whatever they are called."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in (value,) if hasattr(value, "ListFields") else value:
                yield from _messages(inner)


def _outside(message: Any) -> bool:  # noqa: ANN401
    from onnx import TensorProto

    return isinstance(message, TensorProto) and bool(
        message.data_location == TensorProto.EXTERNAL or message.external_data
    )
