"""torch itself, eager: the reference, and for networks that cannot be exported."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vidfit.contracts import Floats, Frames, TorchBackbone

PACKAGES = ("torch",)


def open_network(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the network eagerly with ``threads`` threads a call."""
    import torch

    told = threading.local()

    def run(frames_BTHWC: Frames) -> Floats:
        # torch keeps this number for each calling thread.
        if not hasattr(told, "threads"):
            torch.set_num_threads(threads)
            told.threads = threads
        return backbone.forward(frames_BTHWC)

    return run
