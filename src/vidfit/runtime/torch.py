"""torch itself: eager, which is the reference; compiled; and on a graphics processor.

Compiling is taken only when asked for by name, as the first run takes tens of seconds.
"""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable
from importlib import util
from pathlib import Path

import numpy as np

from vidfit.contracts import Floats, Frames, TorchBackbone

PACKAGES = ("torch",)

_BUILT_FOR = re.compile(r"^(cuda|hip)\b.*= *['\"]", re.MULTILINE)
"""In a build for graphics processors, the version of what they run."""


def open_eager(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the network eagerly with ``threads`` threads a call."""
    told = threading.local()

    def run(frames_BTHWC: Frames) -> Floats:
        _tell_threads(told, threads)
        return backbone.forward(frames_BTHWC)

    return run


def open_compiled(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs the compiled network with ``threads`` threads a call.

    It is compiled at the first run, for any number of views but one, and needs a C++ compiler.
    """
    import torch

    compiled = torch.compile(backbone.network)
    told = threading.local()
    compiling = threading.Lock()

    def run(frames_BTHWC: Frames) -> Floats:
        _tell_threads(told, threads)  # torch compiles for their number
        # torch takes neither read-only nor negatively strided arrays.
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        if len(views_BTHWC) > 1:
            # One network for any number of views; a single one gets its own.
            torch._dynamo.maybe_mark_dynamic(views_BTHWC, 0)
        with compiling, torch.no_grad():
            tokens_BND: Floats = compiled(views_BTHWC).float().numpy()
        return tokens_BND

    return run


def has_cuda() -> bool:
    """Tell whether torch can reach a graphics processor.

    A build for processors alone is known by its own file: torch takes a second to import.
    """
    found = util.find_spec("torch")
    version = Path(found.origin).with_name("version.py") if found and found.origin else None
    if version and version.is_file() and not _BUILT_FOR.search(version.read_text("utf-8")):
        return False
    import torch

    return torch.cuda.is_available()


def open_cuda(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs a copy of the network on the first graphics processor.

    ``threads`` has no effect. float32 stays float32: TF32 keeps 10 bits of a factor.

    Raises
    ------
    RuntimeError
        Where there is no such processor.
    """
    import torch

    if not has_cuda():
        raise RuntimeError("torch finds no CUDA device")
    network = copy.deepcopy(backbone.network).to("cuda")

    def run(frames_BTHWC: Frames) -> Floats:
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            tokens_BND: Floats = network(views_BTHWC.to("cuda")).float().cpu().numpy()
        return tokens_BND

    return run


def _tell_threads(told: threading.local, threads: int) -> None:
    """Set torch's number of threads, which it keeps for each calling thread."""
    import torch

    if not hasattr(told, "threads"):
        torch.set_num_threads(threads)
        told.threads = threads
