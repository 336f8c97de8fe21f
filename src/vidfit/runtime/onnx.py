"""ONNX Runtime, and the export to ONNX that OpenVINO reads, too."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from vidfit.contracts import Floats, Frames, TorchBackbone

if TYPE_CHECKING:
    from torch import Tensor, nn

PACKAGES = ("onnxruntime",)


def export(backbone: TorchBackbone, path: Path) -> None:
    """Write the network as ONNX, uint8 [B, T, H, W, C] to tokens [B, N, D], any B.

    Where frames are sized in blocks, H and W may be any multiples of them.
    """
    import torch

    spec = backbone.spec
    height, width = spec.preprocessing.height_pixels, spec.preprocessing.width_pixels
    # Two views: a batch of one would be taken for a constant.
    views_BTHWC = torch.zeros(2, spec.sampling.clip_len, height, width, 3, dtype=torch.uint8)
    dims: dict[int, Any] = {}
    if block := spec.preprocessing.block_pixels:
        dims = {2: block * torch.export.Dim("rows"), 3: block * torch.export.Dim("columns")}
    export_module(backbone.network, views_BTHWC, "frames", ["tokens"], path, dims)


def export_traced(backbone: TorchBackbone, path: Path) -> None:
    """Write the same by tracing one run, for frames of one size only.

    Four times as fast as `export`, for networks without branches: a branch that depends on what
    is seen, or on how many views there are, is taken as the traced run took it. So hold what
    comes out against the network at several batches. The tracing exporter writes sums of sizes
    that are constant as nodes; they are folded, or the graph would be a third slower.
    """
    import torch
    from onnxscript import ir, optimizer, rewriter

    spec = backbone.spec
    height, width = spec.preprocessing.height_pixels, spec.preprocessing.width_pixels
    views_BTHWC = torch.zeros(2, spec.sampling.clip_len, height, width, 3, dtype=torch.uint8)
    with _quiet(), torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            backbone.network,
            (views_BTHWC,),
            path,
            input_names=["frames"],
            output_names=["tokens"],
            dynamic_axes={"frames": {0: "batch"}, "tokens": {0: "batch"}},
            opset_version=18,
            dynamo=False,
        )
        graph = ir.load(path)
        optimizer.optimize(graph)
        graph = rewriter.rewrite(graph)
        optimizer.optimize(graph)
        ir.save(graph, path)


def export_module(
    module: nn.Module,
    example: Tensor,
    takes: str,
    gives: list[str],
    path: Path,
    dims: Mapping[int, Any] = MappingProxyType({}),
) -> None:
    """Write a module of one tensor as ONNX, for any number of rows; ``example`` has two.

    Parameters
    ----------
    dims
        Further dimensions that may vary, as ``torch.export`` describes them.
    """
    import torch

    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            module,
            (example,),
            input_names=[takes],
            output_names=gives,
            dynamic_shapes=({0: torch.export.Dim("batch"), **dims},),
            dynamo=True,
            verbose=False,
        )
        if program is None:
            raise ValueError("the exporter returned no program")
        program.save(path, external_data=False)


def open_session(path: Path, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the file; it may be called from several threads at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Spinning threads would take the cores from the threads that decode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # No library of custom operations is ever registered: a graph that wants one is refused.
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(frames_BTHWC: Frames) -> Floats:
        tokens_BND: Floats = session.run(
            ["tokens"], {"frames": np.ascontiguousarray(frames_BTHWC)}
        )[0]
        return tokens_BND

    return run


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks, which users can do nothing about, off the console.

    It logs, warns, and prints whole graphs to stderr when it fails; its exception says enough.
    """
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
