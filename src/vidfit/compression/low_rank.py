"""Low rank: a matrix becomes the product of two smaller ones, where that computes less.

A layer's best approximation of a rank is its truncated singular value decomposition. Given frames,
what is kept is the layer's output on them and not its weights: with S S^T the second moments of
its inputs, W S is decomposed and S taken off again (Wang et al., "SVD-LLM", ICLR 2025; Chen et
al., "DRONE", 2021).

Shape letters: B views, T frames, H height, W width, C channels, I inputs of a layer, O outputs,
R rank, L places at which it is applied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vidfit.backbones.encoder import freeze
from vidfit.contracts import Frames
from vidfit.errors import BackboneError

_JITTER = 1e-6
"""Added to the diagonal of the moments, relative to its mean: unused inputs make them singular."""


def factorise(network: nn.Module, share: float, frames_BTHWC: Frames | None = None) -> nn.Module:
    """Return a copy whose linear layers and 1x1 convolutions are two layers where that saves work.

    Each gets the smallest rank that keeps the share; where two layers of that rank would compute
    as much as the one, it stays. Layers around it, batch norms among them, are untouched.

    Parameters
    ----------
    network
        uint8 views [B, T, H, W, C] -> float32 tokens [B, N, D].
    share
        Of the energy (the squared singular values) that every layer keeps, in (0, 1].
    frames_BTHWC
        Views of the task, to measure the energy of outputs on; without them it is that of the
        weights.

    Raises
    ------
    BackboneError
        When the share is not valid, or no layer would compute less.
    """
    if not 0 < share <= 1:
        raise BackboneError(f"share is {share}; valid is above 0 and up to 1, such as 0.95.")
    small = copy.deepcopy(network).eval()
    layers = {name: module for name, module in small.named_modules() if is_matrix(module)}
    moments = {} if frames_BTHWC is None else input_moments(small, layers, frames_BTHWC)
    replaced = 0
    for name, layer in layers.items():
        pair = _pair(layer, share, moments.get(name))
        if pair is not None:
            parent, _, child = name.rpartition(".")
            setattr(small.get_submodule(parent), child, pair)
            replaced += 1
    if not replaced:
        raise BackboneError(
            f"None of {len(layers)} matrices computes less in two pieces that keep {share:g} of "
            "its energy. Ask for a smaller share, or prune channels instead."
        )
    return freeze(small)


def is_matrix(module: nn.Module) -> bool:
    """Tell whether a layer is one matrix: a linear layer or a 1x1 convolution."""
    # Kinds derived from Linear are read by their owners, such as that in MultiheadAttention.
    if type(module) is nn.Linear:
        return True
    if not isinstance(module, nn.Conv2d) or module.kernel_size != (1, 1):
        return False
    return module.groups == 1 and module.padding in ((0, 0), "valid", "same")


def _pair(layer: nn.Module, share: float, moment_II: Tensor | None) -> nn.Sequential | None:
    """Return two layers in place of one, or None when they would not save work."""
    root_II = None if moment_II is None else _root(moment_II)
    weight_OI = layer.weight.detach().flatten(1).double()  # type: ignore[operator]
    seen_OI = weight_OI if root_II is None else weight_OI @ root_II
    left_OR, singular_R, right_RI = torch.linalg.svd(seen_OI, full_matrices=False)
    energy_R = singular_R.square().cumsum(0)
    rank = int((energy_R < share * energy_R[-1] * (1 - 1e-12)).sum()) + 1
    outputs, inputs = weight_OI.shape
    if rank * (outputs + inputs) >= outputs * inputs:
        return None
    first_RI = right_RI[:rank]
    if root_II is not None:
        first_RI = torch.linalg.solve_triangular(root_II, first_RI, upper=False, left=False)
    # Half of each singular value to each side keeps both of one size.
    scale_R = singular_R[:rank].sqrt()
    return _layers(layer, first_RI * scale_R[:, None], left_OR[:, :rank] * scale_R)


@torch.no_grad()
def _layers(layer: nn.Module, first_RI: Tensor, second_OR: Tensor) -> nn.Sequential:
    rank, inputs = first_RI.shape
    outputs = len(second_OR)
    has_bias = layer.bias is not None
    pair: tuple[nn.Linear, nn.Linear] | tuple[nn.Conv2d, nn.Conv2d]
    if isinstance(layer, nn.Conv2d):
        stride = (layer.stride[0], layer.stride[1])
        pair = (
            nn.Conv2d(inputs, rank, 1, stride, bias=False),
            nn.Conv2d(rank, outputs, 1, bias=has_bias),
        )
    else:
        pair = nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs, bias=has_bias)
    pair[0].weight.copy_(first_RI.reshape(pair[0].weight.shape))
    pair[1].weight.copy_(second_OR.reshape(pair[1].weight.shape))
    if isinstance(layer.bias, Tensor) and pair[1].bias is not None:
        pair[1].bias.copy_(layer.bias)
    return nn.Sequential(*pair)


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


def _root(moment_II: Tensor) -> Tensor:
    """Return the Cholesky factor, of moments that are made regular."""
    mean = float(moment_II.diagonal().mean())
    jitter = _JITTER * mean if mean > 0 else 1.0
    regular_II = moment_II + jitter * torch.eye(len(moment_II), dtype=moment_II.dtype)
    root_II: Tensor = torch.linalg.cholesky(regular_II)
    return root_II
