"""Micro-batches with their clips, read ahead by other processes; and answers without learning.

Shape letters: B clips of a micro-batch, M clips, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from vidfit.contracts import Floats, Indices
from vidfit.networks.clips import Clips
from vidfit.plans import Plan
from vidfit.training.clipset import ClipSet
from vidfit.training.order import Micro, deal
from vidfit.training.parallel import Place

Loaded = tuple[Micro, Clips, Tensor]
"""A micro-batch, its clips, and probabilities of classes [B, K]."""

Item = TypeVar("Item")


class _Micros(Dataset[Loaded]):
    """Micro-batches of an epoch, read when they are asked for."""

    def __init__(self, clips: ClipSet, micros: Sequence[Micro], plan: Plan) -> None:
        self.clips, self.micros = clips, micros
        self.classes, self.smoothing = plan.data.classes, plan.recipe.label_smoothing

    def __len__(self) -> int:
        return len(self.micros)

    def __getitem__(self, i: int) -> Loaded:
        micro = self.micros[i]
        targets = self.clips.targets(micro, self.classes, self.smoothing)
        return micro, self.clips.mixed(micro), targets


def loaded(clips: ClipSet, micros: Sequence[Micro], plan: Plan) -> Iterator[Loaded]:
    """Yield micro-batches in their order, read by as many processes as the layout says."""
    loader: DataLoader[Any] = DataLoader(
        _Micros(clips, micros, plan),
        batch_size=None,
        num_workers=plan.layout.loader_workers,
        collate_fn=_as_it_is,
    )
    return iter(loader)


def _as_it_is(item: Item) -> Item:
    return item


@torch.no_grad()
def answers(module: nn.Module, clips: ClipSet, rows_M: Indices, plan: Plan, place: Place) -> Floats:
    """Return log-probabilities [M, K] of clips, each computed by one of the processes.

    Parameters
    ----------
    module
        As `vidfit.training.parallel.spread` wraps it; it is left in evaluation mode.
    """
    module.eval()
    found_MK = torch.zeros(len(rows_M), plan.data.classes)
    mine = np.arange(-(-len(rows_M) // place.world)) * place.world + place.rank
    for micro in deal(rows_M, 0, (0.0, ()), (place.rank, place.world, plan.layout.micro_batch)):
        logits_BK = module(*clips.read(micro.rows_B).to(place.device).tensors)
        log_p_BK = torch.log_softmax(logits_BK.float(), dim=-1).cpu()
        places, mine = mine[: len(micro.rows_B)], mine[len(micro.rows_B) :]
        counts = micro.counts_B > 0
        found_MK[places[counts]] = log_p_BK[torch.from_numpy(counts)]
    return cast(Floats, place.summed(found_MK).numpy())
