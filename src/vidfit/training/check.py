"""Proves on a network that gradients added up over micro-batches are those of the whole batch.

Shape letters: B clips, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vidfit.errors import NotEnoughDataError
from vidfit.networks.clips import Clips
from vidfit.networks.step import classified, norms
from vidfit.shown import counted

TOLERANCE = 1e-6
"""Largest relative difference, unless rounding alone makes a larger one."""

_ROUNDINGS = 4.0
"""So many times what moves of the weights by one unit in the last place change is rounding."""


@dataclass(frozen=True, slots=True)
class AccumulationCheck:
    """What cutting a batch into micro-batches does to the gradient of its mean loss.

    Parameters
    ----------
    clips
        Of the batch.
    differences
        By the number of micro-batches: L2 norm of the difference of the gradient to that of the
        batch in one, relative to the L2 norm of the latter, over all parameters as one vector.
        One parameter alone can have no gradient but rounding, such as the bias of attention's
        keys; so it is not held against itself.
    rounding
        The same difference when the batch is computed in one by weights that are each moved to a
        neighbouring number: what no arithmetic of this precision can tell. Some 1e-7 in float32;
        more where units switch on and off, as in a deep network of ReLUs.
    batch_norms
        Batch normalisations that learn their statistics: these see a micro-batch.
    """

    clips: int
    differences: Mapping[int, float]
    rounding: float
    batch_norms: tuple[str, ...]

    @property
    def bar(self) -> float:
        """The largest difference that still counts as none."""
        return max(TOLERANCE, _ROUNDINGS * self.rounding)

    @property
    def agrees(self) -> bool:
        """Whether all differences lie within the bar."""
        return all(difference <= self.bar for difference in self.differences.values())

    def __str__(self) -> str:
        lines = [
            f"{count} x {self.clips / count:.3g} clips: gradient differs by {difference:.1e} of "
            f"its norm (bar {self.bar:.1g}, rounding {self.rounding:.0e})"
            for count, difference in self.differences.items()
        ]
        if self.batch_norms:
            lines.append(
                f"{', '.join(self.batch_norms)}: batch normalisation sees the statistics of a "
                "micro-batch, so that what is learned depends on its size; freeze it (eval() in "
                "train()) or use a layer or group normalisation"
            )
        elif not self.agrees:
            lines.append(
                "the network answers a clip by the others of its micro-batch, or at random "
                "outside of torch's dropout; what is learned depends on the micro-batch"
            )
        return "\n".join(lines)


def check_accumulation(
    network: nn.Module,
    clips: Clips,
    targets_BK: Tensor,
    factors: Sequence[int] = (1, 2, 4, 8),
    dtype: torch.dtype = torch.float32,
) -> AccumulationCheck:
    """Compare gradients of one batch, computed in one and in several micro-batches.

    Micro-batches that do not come out even differ in size by one clip. Dropout is off, as its
    draws depend on the cut; batch normalisations are as they are in training. The network, its
    gradients and running statistics are left as they were.

    Parameters
    ----------
    clips, targets_BK
        On the network's device; probabilities of classes.
    factors
        Numbers of micro-batches, from 1.
    dtype
        That weights and tokens are brought to. In float64 rounding is below 1e-15; on CPUs its
        convolutions are many times slower.

    Raises
    ------
    NotEnoughDataError
        If there are fewer clips than micro-batches.
    """
    if len(clips) < max(factors):
        raise NotEnoughDataError(
            f"{counted(len(clips), 'clip')} cannot be cut into {max(factors)} micro-batches; "
            "give at least "
            f"{max(factors)} clips, or smaller factors"
        )
    if clips.tokens_BND is not None:
        clips = replace(clips, tokens_BND=clips.tokens_BND.to(dtype))
    with _as_in_training(network), _computing_in(network, dtype):
        names = tuple(name for name, module in norms(network) if _sees_its_batch(module))
        whole = _gradient(network, clips, targets_BK, 1)
        differences = {
            count: _relative(_gradient(network, clips, targets_BK, count), whole)
            for count in factors
        }
        _move_by_one_place(network)
        rounding = _relative(_gradient(network, clips, targets_BK, 1), whole)
    return AccumulationCheck(len(clips), differences, rounding, names)


def _move_by_one_place(network: nn.Module) -> None:
    """Move each weight to the next number above or below it, as it falls out."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        up = torch.rand(parameter.shape, generator=generator).to(parameter.device) < 0.5
        far = torch.where(up, torch.inf, -torch.inf).to(parameter.dtype)
        parameter.data = torch.nextafter(parameter.data, far)


def _gradient(network: nn.Module, clips: Clips, targets_BK: Tensor, count: int) -> list[Tensor]:
    """Return the gradient of the mean loss, added up over micro-batches."""
    learned = [p for p in network.parameters() if p.requires_grad]
    total = [torch.zeros_like(p) for p in learned]
    for rows in torch.arange(len(clips), device=targets_BK.device).tensor_split(count):
        loss = classified(network(clips.where(rows)), targets_BK[rows], len(clips))
        torch._foreach_add_(total, torch.autograd.grad(loss, learned, materialize_grads=True))
    return total


def _relative(found: list[Tensor], expected: list[Tensor]) -> float:
    difference = _norm(torch._foreach_sub(found, expected))
    return difference / _norm(expected) if difference else 0.0


def _norm(tensors: Sequence[Tensor]) -> float:
    return math.hypot(*[float(norm) for norm in torch._foreach_norm(list(tensors))])


def _sees_its_batch(module: nn.Module) -> bool:
    return module.training or getattr(module, "running_mean", None) is None


@contextmanager
def _as_in_training(network: nn.Module) -> Iterator[None]:
    """Put the network in training mode but for what is random; afterwards as it was."""
    modes = {module: module.training for module in network.modules()}
    recurrent = {m: m.dropout for m in modes if isinstance(m, nn.RNNBase)}
    network.train()
    steady = {module for _, module in norms(network) if module.training} | set(recurrent)
    for module in modes:
        # Not eval(): a module may have its own idea of it. cuDNN's LSTM has no gradient in it.
        module.training = module in steady
    for module in recurrent:
        module.dropout = 0.0
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        for module, share in recurrent.items():
            module.dropout = share


@contextmanager
def _computing_in(network: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Let the network compute with copies of its weights and buffers.

    Not with a copy of the network: one that computes activations again would call the original.
    """
    own = {tensor: tensor.data for tensor in (*network.parameters(), *network.buffers())}
    try:
        for tensor, data in own.items():
            tensor.data = data.to(dtype if data.is_floating_point() else data.dtype, copy=True)
        yield
    finally:
        for tensor, data in own.items():
            tensor.data = data
