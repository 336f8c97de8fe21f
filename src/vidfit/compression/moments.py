"""What the matrices of a network are given: second moments of their inputs, over frames.

Shape letters: B views, T frames, H height, W width, C channels, I inputs of a layer, L places at
which it is applied.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vidfit.contracts import Frames


def is_matrix(module: nn.Module) -> bool:
    """Tell whether a layer is one matrix: a linear layer or a 1x1 convolution."""
    # Kinds derived from Linear are read by their owners, such as that in MultiheadAttention.
    if type(module) is nn.Linear:
        return True
    if not isinstance(module, nn.Conv2d) or module.kernel_size != (1, 1):
        return False
    return module.groups == 1 and module.padding in ((0, 0), "valid", "same")


@torch.no_grad()
def input_moments(
    network: nn.Module, layers: dict[str, nn.Module], frames_BTHWC: Frames
) -> dict[str, Tensor]:
    """Return the sums x x^T [I, I] of the inputs x of matrices, over views and places."""
    moments: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def add(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            x = inputs[0]
            x_LI = (x.movedim(1, -1) if isinstance(layer, nn.Conv2d) else x).flatten(0, -2)
            x_LI = x_LI.double()  # rounding of few inputs to wide layers would make it indefinite
            moments[name] = moments.get(name, 0) + x_LI.T @ x_LI

        return add

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers.items()]
    try:
        for view_THWC in frames_BTHWC:
            network(torch.from_numpy(view_THWC[None].copy()))
    finally:
        for hook in hooks:
            hook.remove()
    return moments
