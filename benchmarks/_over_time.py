"""Small networks over the windows of a video, as learners to hold against the probe.

A dilated convolution as in MS-TCN (Farha and Gall 2019), one stage of 32 channels, or a GRU of 32
units in either direction, over 64 principal axes. What they answer goes through the same chain,
chosen in the same way.

Shape letters: M windows, R axes, K answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from vidfit.contracts import Floats, Indices
from vidfit.fusion.span import Span
from vidfit.labels import class_shares
from vidfit.metrics.segments import SegmentF1
from vidfit.tasks.localise.chain import MarkovChain, smoothed
from vidfit.tasks.localise.learner import ChainedProbe
from vidfit.tasks.localise.moments import numbers_of
from vidfit.tasks.localise.stretches import stretches

AXES, CHANNELS, EPOCHS, DROPOUT = 64, 32, 40, 0.5
RATE, DECAY = 3e-3, 1e-3
STEADY, STEEPEST = 0.15, 4.0
"""Weight of the loss that keeps answers of neighbours near, and where it is cut (MS-TCN)."""


class Dilated(nn.Module):
    """Four residual layers of a convolution over 3 windows, 1, 2, 4 and 8 apart."""

    def __init__(self, axes: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(axes, CHANNELS, 1)
        self.wide = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, 3, padding=2**i, dilation=2**i) for i in range(4)
        )
        self.narrow = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in range(4))
        self.drop = nn.Dropout(DROPOUT)
        self.last = nn.Conv1d(CHANNELS, classes, 1)

    def forward(self, x_VMR: Tensor, there_VM: Tensor) -> Tensor:
        """Return scores [V, M, K]; what is not there says nothing to what is."""
        there_V1M = there_VM[:, None].float()
        x = self.first(self.drop(x_VMR.transpose(1, 2))) * there_V1M
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = (x + self.drop(narrow(torch.relu(wide(x))))) * there_V1M
        scores: Tensor = self.last(x).transpose(1, 2)
        return scores


class Recurrent(nn.Module):
    """A GRU onward and one back."""

    def __init__(self, axes: int, classes: int) -> None:
        super().__init__()
        self.gru = nn.GRU(axes, CHANNELS, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(DROPOUT)
        self.last = nn.Linear(2 * CHANNELS, classes)

    def forward(self, x_VMR: Tensor, there_VM: Tensor) -> Tensor:
        """Return scores [V, M, K]."""
        lengths = there_VM.sum(1)
        packed = pack_padded_sequence(
            self.drop(x_VMR), lengths, batch_first=True, enforce_sorted=False
        )
        x, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        scores: Tensor = self.last(self.drop(x))
        return scores


@dataclass(frozen=True)
class OverTime:
    """A trained network and a chain (`vidfit.fitted.InTime`)."""

    span: Span
    network: nn.Module
    log_share_K: Floats
    chain: MarkovChain

    def clues(self, blocks: Sequence[Floats]) -> Floats:
        """Return principal coordinates."""
        return _scaled(self.span.project(blocks), self.span)

    def in_time(self, clues_ME: Floats, video_M: Indices, start_M: Any) -> Floats:
        """Return answers [M, K]."""
        raw_MK = answers(self.network, clues_ME, (video_M, start_M))
        return smoothed(raw_MK, self.log_share_K, (self.chain,), video_M, start_M)[0]

    def log_probabilities(self, blocks: Sequence[Floats]) -> Floats:
        """Return answers to windows as videos of their own."""
        clues_ME = self.clues(blocks)
        return answers(self.network, clues_ME, (np.arange(len(clues_ME)), np.zeros(len(clues_ME))))

    def novelty(self, blocks: Sequence[Floats]) -> Floats:
        """Return nothing of worth."""
        return np.ones(len(blocks[0]), np.float32)

    def state(self) -> dict[str, Floats]:
        """Return nothing: it is measured, and not kept."""
        return {}


@dataclass(frozen=True)
class NetworkOverTime(ChainedProbe):
    """Fits a network; folds, chains and what chooses them are those of the probe."""

    made: type[nn.Module] = Dilated

    def fit(self, vectors_MD: Floats, truth: Any, folds_M: Indices) -> tuple[Any, Floats]:
        """Fit on all windows, and without each fold for the chain."""
        columns, class_M, order = (
            self.kind.columns(truth),
            numbers_of(truth),
            self.kind.order(truth),
        )
        span = Span.of([vectors_MD])
        x_MR = _scaled(span.coordinates_MR, span)
        raw_MK = np.zeros((len(truth), columns), np.float32)
        for fold in np.unique(folds_M):
            out_M = folds_M == fold
            kept, asked = ((way[0][m], way[1][m]) for way, m in ((order, ~out_M), (order, out_M)))
            network = trained(
                self.made(x_MR.shape[1], columns), x_MR[~out_M], class_M[~out_M], kept
            )
            raw_MK[out_M] = answers(network, x_MR[out_M], asked)
        chains = self._chains(truth)
        tried = self._smoothed(raw_MK, truth, folds_M, chains)
        judge = SegmentF1("f1@50", 0.5)
        sums = np.stack([judge.sums(truth, one) for one in tried])
        first = int(np.nan_to_num(judge.figure(sums)).argmax())
        network = trained(self.made(x_MR.shape[1], columns), x_MR, class_M, order)
        shares_K = class_shares(class_M, columns, 1)[0]
        return OverTime(span, network, shares_K, chains[first]), tried[first]


def _scaled(coordinates_MR: Floats, span: Span) -> Floats:
    """Return the first axes, each of unit variance in training."""
    deviation_R = span.coordinates_MR.std(axis=0)[-AXES:] + 1e-6
    scaled: Floats = (coordinates_MR[:, -AXES:] / deviation_R).astype(np.float32)
    return scaled


def trained(network: nn.Module, x_MR: Floats, class_M: Indices, order: Any) -> nn.Module:
    """Train with one step an epoch over all stretches."""
    torch.manual_seed(0)
    for layer in network.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    x_VMR, there_VM, rows = _side_by_side(x_MR, order)
    y = torch.from_numpy(class_M)[rows]
    next_VM = there_VM[:, 1:]
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    network.train()
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        log_VMK = torch.log_softmax(network(x_VMR, there_VM), 2)
        lost = nn.functional.nll_loss(log_VMK[there_VM], y)
        steps = (log_VMK[:, 1:] - log_VMK[:, :-1].detach()).abs().clamp(max=STEEPEST) ** 2
        (lost + STEADY * steps[next_VM].mean()).backward()
        optimizer.step()
    return network.eval()


def answers(network: nn.Module, x_MR: Floats, order: Any) -> Floats:
    """Return log-probabilities [M, K]."""
    x_VMR, there_VM, rows = _side_by_side(x_MR, order)
    with torch.no_grad():
        said = torch.log_softmax(network(x_VMR, there_VM), 2)[there_VM].numpy()
    found = np.zeros((len(x_MR), said.shape[1]), np.float32)
    found[rows] = said
    return found


def _side_by_side(x_MR: Floats, order: Any) -> tuple[Tensor, Tensor, Indices]:
    """Return stretches as a batch [V, M, R], what of it is there, and whose rows these are."""
    parts = [rows for rows, _ in stretches(*order)]
    x_VMR = pad_sequence([torch.from_numpy(x_MR[rows]) for rows in parts], batch_first=True)
    lengths_V1 = torch.tensor([[len(rows)] for rows in parts])
    return x_VMR, torch.arange(x_VMR.shape[1]) < lengths_V1, np.concatenate(parts)
