"""8-bit integers in place of floats: which layers, with what ranges, and what each costs.

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
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.compression import onnx_graph
from vidfit.compression.calibrated import calibrate, matrix_steps
from vidfit.contracts import Floats, Frames
from vidfit.errors import BackboneError

PROBES = 64
"""Graphs that `sensitivity` tries: with more layers than that, neighbours are tried together."""

PROBE_VIEWS = 8


def quantize_static(
    source: Path,
    target: Path,
    frames_BTHWC: Frames,
    clipping: str = "octav",
    keep: Collection[str] = (),
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
    keep
        Names of layers that stay float32, such as the first that `sensitivity` returns.

    Raises
    ------
    BackboneError
        If the graph cannot be read or has no layers, or a name or a clipping is unknown.
    """
    with onnx_graph.refused(source):
        graph = calibrate(source, frames_BTHWC, clipping)
        unknown = sorted(set(keep) - set(graph.layers))
        if unknown:
            raise BackboneError(
                f"{source} has no layers {unknown}; its layers are {list(graph.layers)}."
            )
        onnx_graph.write(graph.quantized([n for n in graph.layers if n not in keep]), target)


def sensitivity(source: Path, frames_BTHWC: Frames) -> list[tuple[str, float]]:
    """Return each layer with the error in the tokens when it alone is of integers.

    The error is the norm of the difference over the norm of the tokens, on up to `PROBE_VIEWS`
    views; layers come most harmful first. At most `PROBES` graphs are run: in deeper networks
    neighbouring layers are tried together and share one error.

    Raises
    ------
    BackboneError
        If the graph cannot be read or has no layers.
    """
    with onnx_graph.refused(source):
        graph = calibrate(source, frames_BTHWC, "octav")
        few = frames_BTHWC[:: -(-len(frames_BTHWC) // PROBE_VIEWS)]
        expected = _tokens(graph.model, few)
        found = []
        names = list(graph.layers)
        for group in np.array_split(names, min(PROBES, len(names))):
            error = _tokens(graph.quantized(group.tolist()), few) - expected
            share = float(np.linalg.norm(error) / np.linalg.norm(expected))
            found += [(str(name), share) for name in group]
    return sorted(found, key=lambda pair: -pair[1])


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


def _tokens(model: Any, frames_BTHWC: Frames) -> Floats:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    views = range(len(frames_BTHWC))
    return np.concatenate(
        [session.run(None, {"frames": frames_BTHWC[v : v + 1]})[0] for v in views]
    )
