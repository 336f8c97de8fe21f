"""Exports run by the programs that they are meant for, and how far they are from vidfit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Backbone, Floats, Frames, GraphBackbone
from vidfit.errors import ModelError
from vidfit.runtime import TOLERANCE
from vidfit.runtime.opened import first_cause
from vidfit.runtime.openvino import core

Run = Callable[[Mapping[str, Frames]], dict[str, Floats]]
"""From inputs by name to outputs by name."""


def open_onnx(path: Path) -> Run:
    """Open an ONNX file as a program without vidfit would: ONNX Runtime as it comes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(inputs: Mapping[str, Frames]) -> dict[str, Floats]:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    return run


def open_openvino(path: Path) -> Run:
    """Open an OpenVINO or ONNX file in OpenVINO, computing in float32."""
    # Without this, processors with AMX compute in bfloat16 and differ from others.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core().compile_model(str(path), "CPU", settings)

    def run(inputs: Mapping[str, Frames]) -> dict[str, Floats]:
        answers = compiled(dict(inputs))
        # An output may have several names.
        return {
            name: np.array(answers[out]) for out in compiled.outputs for name in out.get_names()
        }

    return run


OPENERS: dict[str, Callable[[Path], Run]] = {"onnx": open_onnx, "openvino": open_openvino}
"""Format of graphs -> what runs it."""

SUFFIXES = {"onnx": ".onnx", "openvino": ".xml"}


def to_openvino(path: Path) -> Path:
    """Turn an ONNX file into OpenVINO's ``.xml`` and ``.bin``, in float32.

    Raises
    ------
    ModelError
        If it cannot be turned, or the disk is full.
    """
    import openvino

    new = path.with_suffix(SUFFIXES["openvino"])
    try:
        # Not by `convert_model`: it rearranges graphs in integers so that they answer otherwise.
        openvino.save_model(core().read_model(path), new, compress_to_fp16=False)
    except Exception as error:  # OpenVINO has errors of its own, and RuntimeError for a full disk
        raise ModelError(
            f"cannot write {new.name} for OpenVINO: {first_cause(error)}; is the disk full?"
        ) from error
    path.unlink()
    return new


def reference(member: Backbone, format: str) -> Callable[[Frames], Floats]:
    """Return what an exported member is held against: torch, eager, or the graph that it is.

    Engines round the integers of a compressed graph differently: it is held against itself on
    the engine of the format.
    """
    if not isinstance(member, GraphBackbone) or format == "onnx":
        return member.forward
    run = OPENERS[format](member.graph)
    return lambda frames_BTHWC: run({"frames": frames_BTHWC})["tokens"]


def difference(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest difference, relative to the largest expected value."""
    if found.shape != expected.shape:
        return float("inf")
    largest = float(np.abs(expected).max()) or 1.0
    return float(np.abs(found.astype(np.float64) - expected).max() / largest)


def check_parity(name: str, error: float) -> float:
    """Return a difference that is small enough.

    Raises
    ------
    ModelError
        If it is above the tolerance, or no number.
    """
    if not error <= TOLERANCE:
        raise ModelError(
            f"{name} differs from vidfit's own answers by {error:.2g}, {TOLERANCE:g} is allowed; "
            "nothing was written. Try another --format."
        )
    return error
