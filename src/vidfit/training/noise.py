"""The gradient noise scale: how large a batch is worth its compute.

McCandlish, Kaplan, Amodei and the OpenAI Dota team (2018), An empirical model of large-batch
training, appendix A.1: from the squared norms of gradients of a small and a large batch,

    |G|^2 = (B_l |g_l|^2 - B_s |g_s|^2) / (B_l - B_s),
    S = (|g_s|^2 - |g_l|^2) / (1 / B_s - 1 / B_l),    B_noise = S / |G|^2.

Both are averaged over steps before they are divided, as their ratio is biased. Micro-batches
give the small gradients for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from vidfit.training.order import Micro
from vidfit.training.parallel import Place

_DECAY = 0.9


@dataclass(frozen=True, slots=True)
class Noise:
    """Averages of |G|^2 and S over the steps at which they were measured.

    ``weight`` is what the averages of zeros at the start have lost: 0 before the first.
    """

    signal: float = 0.0
    spread: float = 0.0
    weight: float = 0.0

    def seen(self, small: tuple[float, float], large: tuple[float, float]) -> Noise:
        """Return the averages with one more step.

        Parameters
        ----------
        small, large
            Clips of a batch, and the squared norm of its mean gradient.
        """
        (clips_s, norm_s), (clips_l, norm_l) = small, large
        if clips_s >= clips_l:
            return self
        signal = (clips_l * norm_l - clips_s * norm_s) / (clips_l - clips_s)
        spread = (norm_s - norm_l) / (1 / clips_s - 1 / clips_l)
        return Noise(
            _DECAY * self.signal + (1 - _DECAY) * signal,
            _DECAY * self.spread + (1 - _DECAY) * spread,
            _DECAY * self.weight + (1 - _DECAY),
        )

    @property
    def clips(self) -> float:
        """B_noise in clips; infinite when no gradient can be told from noise, nan when unknown."""
        if not self.weight:
            return float("nan")
        return max(self.spread, 0.0) / self.signal if self.signal > 0 else float("inf")


class Gauge:
    """Measures gradients of micro-batches while they are added up, for the noise scale.

    Processes must add up after each micro-batch, not only after the last: what is measured is
    the micro-batch of all, so that it does not depend on how many there are, and sharded
    gradients can be seen at all.
    """

    def __init__(self, network: nn.Module, place: Place) -> None:
        self._learned = [p for p in network.parameters() if p.requires_grad]
        self._place = place
        # Each process has a share of the squares, or all of them.
        self._parts = 1 if any(isinstance(p, DTensor) for p in self._learned) else place.world
        self._before = [torch.zeros_like(_own(p)) for p in self._learned]
        self._norms: list[float] = []
        self.clips = 0.0
        self.large = 0.0

    @property
    def small(self) -> float:
        """Mean squared norm of the mean gradient of a micro-batch."""
        return sum(self._norms) / max(len(self._norms), 1)

    def see(self, micro: Micro) -> None:
        """Take what a micro-batch has added to the gradients."""
        now = [
            torch.zeros_like(before) if p.grad is None else _own(p.grad).clone()
            for p, before in zip(self._learned, self._before, strict=True)
        ]
        added = torch._foreach_sub(now, self._before)
        own = torch.tensor(
            [micro.counts_B.sum(), _squared(added) / self._parts, _squared(now) / self._parts],
            dtype=torch.float64,
        )
        clips, small, self.large = self._place.summed(own).tolist()
        if clips:
            # From a share of the step to a mean.
            self._norms.append(small * (micro.step_clips / clips) ** 2)
            self.clips += (clips - self.clips) / len(self._norms)
        self._before = now


def _own(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor."""
    own: Tensor = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return own.detach()


def _squared(tensors: Sequence[Tensor]) -> float:
    return float(sum(float(norm) ** 2 for norm in torch._foreach_norm(list(tensors))))
