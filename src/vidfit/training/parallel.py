"""One process or many: Lightning Fabric sets up devices, precision and parallel wrappers.

Fabric, because the loop stays ours: sums of uneven micro-batches, and processes that have run
out of clips, need it. It also runs FSDP2 on CPUs, where Accelerate 1.15 silently runs DDP.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from lightning_fabric.strategies.strategy import Strategy
from torch import Tensor, distributed, nn
from torch._C._distributed_c10d import PrefixStore, TCPStore
from torch.distributed.device_mesh import DeviceMesh

from vidfit.networks.clips import Clips
from vidfit.networks.step import main_blocks
from vidfit.plans import Layout

PATIENCE = timedelta(minutes=10)
"""So long processes wait for each other, such as for one that writes a checkpoint."""

_PRECISIONS: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


@dataclass(frozen=True)
class Place:
    """Where this process stands among those that train together."""

    fabric: Fabric

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return int(self.fabric.global_rank)

    @property
    def world(self) -> int:
        """How many processes there are."""
        return int(self.fabric.world_size)

    @property
    def first(self) -> bool:
        """Whether it is the one that writes files."""
        return self.rank == 0

    @property
    def device(self) -> str:
        """Where tensors belong."""
        return str(self.fabric.device)

    def summed(self, values: Tensor) -> Tensor:
        """Return values added up over processes."""
        if self.world == 1:
            return values
        total: Tensor = self.fabric.all_reduce(values, reduce_op="sum")  # type: ignore[assignment]
        return total


def launch(layout: Layout, device: str) -> Place:
    """Join the processes that torchrun started, or stand alone.

    How many there are is torchrun's to say: a plan for two processes runs on one, with the same
    batches and twice the micro-batches.
    """
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and not distributed.is_initialized():
        _join(world, device)
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=world // local,
        strategy=_strategy(layout, world),
        precision=_PRECISIONS[layout.precision],
    )
    fabric.launch()
    return Place(fabric)


def _join(world: int, device: str) -> None:
    """Meet the other processes of this attempt.

    torchrun keeps one store of addresses over its restarts. Without names of its own each
    attempt may read where a dead process listened, and wait there until the time is out.
    """
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    rank = int(os.environ["RANK"])
    # Without torchrun the first process keeps the store.
    alone = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    store = TCPStore(host, port, world, is_master=alone and rank == 0, timeout=PATIENCE)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    distributed.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        store=PrefixStore(f"attempt-{attempt}", store),
        rank=rank,
        world_size=world,
        timeout=PATIENCE,
    )


class Spread(nn.Module):
    """A network that is called with tensors: wrappers deal out and convert these alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *tensors: Tensor | None) -> Tensor:
        """Return what the network gives for the fields of `Clips`."""
        output: Tensor = self.network(Clips(*tensors))
        return output


def spread(place: Place, network: nn.Module) -> nn.Module:
    """Return the network on its device, wrapped so that processes share its gradients."""
    wrapped: nn.Module = place.fabric.setup_module(Spread(network))
    return wrapped


def _strategy(layout: Layout, world: int) -> str | Strategy:
    if layout.sharding == "dp":
        # For completeness. One process drives all devices, copies the weights to each in every
        # step and waits for Python's lock: DDP is faster on one machine, too.
        return "dp" if torch.cuda.is_available() else "auto"
    if world == 1:
        return "auto"
    if layout.sharding == "fsdp":
        return ModelParallelStrategy(_shard, data_parallel_size=world, tensor_parallel_size=1)
    return DDPStrategy()


def _shard(module: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """Keep a share of each block's weights in each process (FSDP2)."""
    from torch.distributed.fsdp import fully_shard

    network = cast(nn.Module, module.network)
    for block in main_blocks(cast(nn.Module, getattr(network, "encoder", network))):
        fully_shard(block, mesh=mesh["data_parallel"])
    # The root, too, gives its weights back at once: what is averaged or saved is always a share.
    fully_shard(module, mesh=mesh["data_parallel"], reshard_after_forward=True)
    return module
