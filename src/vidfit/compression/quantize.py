"""8-bit integers in place of floats, and with what ranges.

Convolutional networks are quantized statically, and gain on both engines. Transformers gain on
ONNX Runtime only: dynamically they stay closer to their floats, statically some are faster.
``python -m benchmarks.quantize`` measures all ways beside floats and ONNX Runtime's own toolkit.

Static graphs are in ONNX's QDQ form (QuantizeLinear and DequantizeLinear around layers), which
engines turn into integer kernels.

Shape letters: B views, T frames, H height, W width, C channels, D features, R output channels of
a layer, K weights of one of them, I input channels.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.compression import onnx_graph
from vidfit.compression.calibrated import calibrate, matrix_steps
from vidfit.contracts import Frames
from vidfit.errors import BackboneError


def quantize_static(
    source: Path,
    target: Path,
    frames_BTHWC: Frames,
    clipping: str = "octav",
) -> None:
    """Write the graph with layers of 8-bit integers, whose ranges were seen on frames.

    Weights are int8 with a scale for each output channel, activations uint8 with a zero point.
    Two means keep tokens close to those of floats. No sum of two products can exceed 16 bits,
    where processors without VNNI instructions saturate. And what the rounding of weights adds to
    the mean of a layer's output, as seen on the frames, is taken off its bias (Nagel et al. 2019,
    "Data-Free Quantization through Weight Equalization and Bias Correction").

    Parameters
    ----------
    source, target
        ONNX files, as `vidfit.runtime.onnx.export` writes them; the target is written whole or
        not at all, and is the same for the same input.
    frames_BTHWC
        Views like those to come, uint8; some tens, of different recordings.
    clipping
        A key of `vidfit.compression.clipping.CLIPPINGS`.

    Raises
    ------
    BackboneError
        If the graph cannot be read or has no layers, or the clipping is unknown.
    """
    with onnx_graph.refused(source):
        graph = calibrate(source, frames_BTHWC, clipping)
        onnx_graph.write(graph.quantized(), target)


def quantize_dynamic(source: Path, target: Path) -> None:
    """Write the graph with products by int8 matrices; ranges of activations are found as it runs.

    For transformers, whose activations have outliers that fixed ranges would clip. Weights have a
    scale for each output channel; convolutions and products of two activations stay float32.

    Raises
    ------
    BackboneError
        If the graph cannot be read or has no products by a stored matrix.
    """
    from onnxruntime.quantization.onnx_model import ONNXModel

    with onnx_graph.refused(source):
        wrapped = ONNXModel(onnx_graph.tidied(source))
        # The toolkit would do so later, and not find the scales of what it renamed.
        wrapped.replace_gemm_with_matmul()
        model = wrapped.model
        nodes = [n for n in onnx_graph.layer_nodes(model) if n.op_type == "MatMul"]
        if not nodes:
            raise BackboneError(
                f"{source} has no products by a stored matrix, which this quantizes; "
                "quantize_static treats convolutions."
            )
        stored = onnx_graph.weights(model)
        overrides = {
            node.input[1]: [
                {"axis": 1, "scale": step, "zero_point": np.int8(0)}
                for step in matrix_steps(onnx_graph.array(stored[node.input[1]]).T, "mse")
            ]
            for node in nodes
        }
        onnx_graph.write(_with_toolkit(model, [node.name for node in nodes], overrides), target)


def _with_toolkit(model: Any, names: list[str], overrides: dict[str, Any]) -> Any:  # noqa: ANN401
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    # It advises to do what was done when the graph was tidied.
    add_pre_process_metadata(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dynamic.onnx"
        quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=names,
            extra_options={"TensorQuantOverrides": overrides},
        )
        return onnx.load(path)
