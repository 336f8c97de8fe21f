"""torch.compile: taken only when asked for by name, as its first run takes tens of seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from vidfit.contracts import Floats, Frames, TorchBackbone

PACKAGES = ("torch",)


def open_network(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the compiled network with ``threads`` threads a call.

    It is compiled at the first run, for any number of views but one, and needs a C++ compiler.
    """
    import torch

    compiled = torch.compile(backbone.network)
    told = threading.local()
    compiling = threading.Lock()

    def run(frames_BTHWC: Frames) -> Floats:
        # torch keeps this number for each calling thread, and compiles for it.
        if not hasattr(told, "threads"):
            torch.set_num_threads(threads)
            told.threads = threads
        # torch takes neither read-only nor negatively strided arrays.
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        if len(views_BTHWC) > 1:
            # One network for any number of views; a single one gets its own.
            torch._dynamo.maybe_mark_dynamic(views_BTHWC, 0)
        with compiling, torch.no_grad():
            tokens_BND: Floats = compiled(views_BTHWC).float().numpy()
        return tokens_BND

    return run
