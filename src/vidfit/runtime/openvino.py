"""OpenVINO, on the same ONNX file as ONNX Runtime."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidfit.contracts import Floats, Frames

if TYPE_CHECKING:
    import openvino

PACKAGES = ("openvino",)

_starting = threading.Lock()


def core() -> openvino.Core:
    """Return OpenVINO, started once for a process and never ended.

    Each one that starts puts the stack of its thread's signal handlers aside, and each that ends
    puts back what it had found (2026.4, for processors with AMX). When two do not end in the
    reverse order, or on another thread, that is memory which is gone, and the next signal, such
    as that of a child process that ends, kills the process.
    """
    with _starting:
        return _core()


@lru_cache(maxsize=1)
def _core() -> openvino.Core:
    import openvino

    # No extension is ever added: a graph that wants custom operations is refused.
    return openvino.Core()


def open_session(path: Path, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the file; it may be called from several threads at once."""
    import openvino

    streams = max(1, (os.cpu_count() or 1) // threads)
    settings = {
        # Without this, processors with AMX compute in bfloat16 and differ from others.
        "INFERENCE_PRECISION_HINT": "f32",
        # A stream serves one request at a time: as many as there are calling threads.
        "NUM_STREAMS": str(streams),
        "INFERENCE_NUM_THREADS": str(streams * threads),
        "ENABLE_CPU_PINNING": "NO",
    }
    compiled = core().compile_model(str(path), "CPU", settings)
    # The first array that is handed over sets OpenVINO's bindings up: two threads that do so at
    # once wait for each other for good.
    openvino.Tensor(np.zeros(1, np.uint8), shared_memory=True)
    own = threading.local()

    def run(frames_BTHWC: Frames) -> Floats:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        own.request.infer([np.ascontiguousarray(frames_BTHWC)], share_inputs=True)
        # A copy: the request writes its next answer to the same memory.
        tokens_BND: Floats = own.request.get_output_tensor(0).data.copy()
        return tokens_BND

    return run
