"""Other ways to quantize a graph, which `benchmarks.quantize` measures beside vidfit's.

Shape letters: B views, T frames, H height, W width, C channels.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import helper, numpy_helper

from vidfit.compression import onnx_graph
from vidfit.compression.store import store_weights
from vidfit.contracts import Frames


def toolkit(source: Path, target: Path, frames_BTHWC: Frames, reduce_range: bool) -> None:
    """Write what ONNX Runtime's quantize_static makes of the tidied graph, by extremes seen.

    As its guide advises: QDQ, int8 weights with a scale a channel, and ``reduce_range``, weights
    of 7 bits, for processors without VNNI instructions.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Views(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(range(len(frames_BTHWC)))

        def get_next(self) -> dict[str, Frames] | None:
            at = next(self.left, None)
            return None if at is None else {"frames": frames_BTHWC[at : at + 1]}

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tidied.onnx"
        onnx.save(onnx_graph.tidied(source), path)
        logging.disable(logging.WARNING)  # to do what was done when the graph was tidied
        try:
            quantize_static(
                path,
                target,
                Views(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=reduce_range,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        finally:
            logging.disable(logging.NOTSET)


def by_dequantize_linear(source: Path, target: Path) -> None:
    """Write the 8-bit weights of `store_weights`, restored by DequantizeLinear."""
    _rewrite(source, target, 8, _with_dequantize_linear)


def by_direct_cast(source: Path, target: Path, bits: Literal[8, 4]) -> None:
    """Write the weights of `store_weights`, cast to float without int32 between."""
    _rewrite(source, target, bits, _without_int32)


def _rewrite(
    source: Path, target: Path, bits: Literal[8, 4], change: Callable[[Any], None]
) -> None:
    store_weights(source, target, bits)
    model = onnx.load(target)
    change(model)
    onnx_graph.write(model, target)


def _without_int32(model: Any) -> None:
    made = {node.output[0]: node for node in model.graph.node}
    for node in list(model.graph.node):
        integers = made.get(node.input[0]) if node.input else None
        if integers is not None and node.name.endswith("_counts_Cast"):
            node.input[0] = integers.input[0]
            model.graph.node.remove(integers)


def _with_dequantize_linear(model: Any) -> None:
    stored = onnx_graph.weights(model)
    for name in [codes.removesuffix("_codes") for codes in stored if codes.endswith("_codes")]:
        scale = onnx_graph.array(stored[f"{name}_scale"])
        flat = numpy_helper.from_array(scale.ravel(), f"{name}_scale")
        stored[f"{name}_scale"].CopyFrom(flat)
        restore = helper.make_node(
            "DequantizeLinear",
            [f"{name}_codes", f"{name}_scale"],
            [f"{name}_blocks"],
            f"{name}_restore",
            axis=int(np.argmax(scale.shape)),
        )
        old = {f"{name}_{made}" for made in ("integers", "counts", "step", "blocks")}
        kept = [node for node in model.graph.node if node.output[0] not in old]
        del model.graph.node[:]
        model.graph.node.extend([restore, *kept])
