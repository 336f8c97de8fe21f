"""Fitting `vidfit.fusion.attention` with torch: AdamW, a fixed number of steps, one seed.

Shape letters: M clips, K classes, T steps, D dimensions of a step, X = T * D, R components,
E common width, N tokens of a clip, Q queries, F = Q * E.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.contracts import Floats, Indices
from vidfit.features.pool import STEPS
from vidfit.fusion.attention import EPSILON, Attention, Encoder, Pooling
from vidfit.fusion.span import inverse_scale

COMPONENTS, WIDTH, QUERIES = 32, 32, 4

_NEVER = -1e4
"""The logit of a class without a clip."""

_LOCK = Lock()
"""torch has one generator and one count of threads for all threads of a process."""


@dataclass(frozen=True)
class Schedule:
    """How long and how strongly to learn; the rate falls to zero along a cosine."""

    epochs: int = 60
    least_updates: int = 150
    batch_clips: int = 64
    learning_rate: float = 5e-3
    weight_decay: float = 0.1
    dropout: float = 0.3

    def updates(self, clips: int) -> int:
        """Return how many updates so many clips are worth."""
        return max(self.epochs * -(-clips // self.batch_clips), self.least_updates)


class Network(nn.Module):
    """From components of the steps of each member [M, T, R] to logits [M, K]."""

    def __init__(self, ranks: Sequence[int], classes: int, dropout: float) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(nn.Linear(rank, WIDTH, bias=False) for rank in ranks)
        self.place_NE = nn.Parameter(0.3 * torch.randn(len(ranks) * STEPS, WIDTH))
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.query_EQ = nn.Parameter(torch.randn(WIDTH, QUERIES) / WIDTH**0.5)
        self.pooled_norm = nn.LayerNorm(QUERIES * WIDTH, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(QUERIES * WIDTH, classes)

    def forward(self, blocks_MTR: Sequence[Tensor]) -> Tensor:
        """Return logits [M, K]."""
        pairs = zip(self.encoders, blocks_MTR, strict=True)
        tokens_MNE = torch.cat([encoder(block) for encoder, block in pairs], dim=1)
        tokens_MNE = self.dropout(self.norm(tokens_MNE + self.place_NE))
        weights_MNQ = torch.softmax(tokens_MNE @ self.query_EQ, dim=1)
        pooled_MF = (weights_MNQ.transpose(1, 2) @ tokens_MNE).flatten(1)
        logits_MK: Tensor = self.answer(self.dropout(self.pooled_norm(pooled_MF)))
        return logits_MK


def fit_steps(
    blocks: Sequence[Floats], labels_M: Indices, classes: int, schedule: Schedule | None = None
) -> Attention:
    """Fit on steps [M, X_i] of each member; classes without a clip are never answered."""
    scales = [(block.mean(axis=0), inverse_scale(block)) for block in blocks]
    standard = [
        ((block - mean_X) * scale_X).reshape(len(block), STEPS, -1)
        for block, (mean_X, scale_X) in zip(blocks, scales, strict=True)
    ]
    maps = [components(x_MTD) for x_MTD in standard]
    seen = [x_MTD @ map_DR for x_MTD, map_DR in zip(standard, maps, strict=True)]
    present, place_M = np.unique(labels_M, return_inverse=True)
    network = trained(seen, place_M, schedule or Schedule())
    weights = [_array(weight_ER).T for weight_ER in network.encoders.parameters()]
    encoders = [
        Encoder(*scale, np.matmul(map_DR, weight_RE))
        for scale, map_DR, weight_RE in zip(scales, maps, weights, strict=True)
    ]
    return Attention(tuple(encoders), _pooling(network, present, classes))


def components(x_MTD: Floats) -> Floats:
    """Return the map [D, R] to the steps' leading components, with variance 1 on their mean."""
    from sklearn.utils.extmath import randomized_svd

    x_LD = x_MTD.reshape(-1, x_MTD.shape[2])
    rank = min(COMPONENTS, *x_LD.shape)
    _, singular_R, axes_RD = randomized_svd(x_LD, rank, random_state=0)
    scale = np.sqrt(len(x_LD) * rank / max((singular_R**2).sum(), 1e-12))
    map_DR: Floats = np.ascontiguousarray((axes_RD * scale).T, np.float32)
    return map_DR


def trained(seen: Sequence[Floats], labels_M: Indices, schedule: Schedule) -> Network:
    """Return the network after its last update, in evaluation mode; always the same."""
    with _LOCK, torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(0)
        classes, ranks = int(labels_M.max()) + 1, [z_MTR.shape[2] for z_MTR in seen]
        network = Network(ranks, classes, schedule.dropout)
        _update([torch.from_numpy(z) for z in seen], torch.from_numpy(labels_M), network, schedule)
    return network.eval()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: steps so small only wait for one another in more."""
    kept = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(kept)


def _update(seen: Sequence[Tensor], labels_M: Tensor, network: Network, schedule: Schedule) -> None:
    clips = len(labels_M)
    updates = schedule.updates(clips)
    optimizer = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    batches: list[Tensor] = []
    for _ in range(updates):
        batches = batches or list(torch.split(torch.randperm(clips), schedule.batch_clips))
        batch = batches.pop()
        loss = functional.cross_entropy(network([z[batch] for z in seen]), labels_M[batch])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        decay.step()


def _pooling(network: Network, present: Indices, classes: int) -> Pooling:
    """Return the network's arrays, with answers for all classes."""
    weight_FK = np.zeros((network.answer.in_features, classes), np.float32)
    bias_K = np.full(classes, _NEVER, np.float32)
    weight_FK[:, present] = _array(network.answer.weight).T
    bias_K[present] = _array(network.answer.bias)
    return Pooling(
        _array(network.place_NE),
        _array(network.norm.weight),
        _array(network.norm.bias),
        _array(network.query_EQ),
        _array(network.pooled_norm.weight),
        _array(network.pooled_norm.bias),
        weight_FK,
        bias_K,
    )


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().numpy()
    return array.copy()
