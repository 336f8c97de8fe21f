"""torch on a graphics processor."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from vidfit.contracts import Floats, Frames, TorchBackbone

PACKAGES = ("torch",)


def available() -> bool:
    """Tell whether torch can reach a graphics processor."""
    import torch

    return torch.cuda.is_available()


def open_network(backbone: TorchBackbone, threads: int) -> Callable[[Frames], Floats]:
    """Return a function that runs a copy of the network on the first graphics processor.

    ``threads`` has no effect. float32 stays float32: TF32 keeps 10 bits of a factor.

    Raises
    ------
    RuntimeError
        Where there is no such processor.
    """
    import torch

    if not available():
        raise RuntimeError("torch finds no CUDA device")
    network = copy.deepcopy(backbone.network).to("cuda")

    def run(frames_BTHWC: Frames) -> Floats:
        views_BTHWC = torch.from_numpy(np.require(frames_BTHWC, requirements=["C", "W"]))
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            tokens_BND: Floats = network(views_BTHWC.to("cuda")).float().cpu().numpy()
        return tokens_BND

    return run
