"""A process of `benchmarks.train_parallel`: a worker of vidfit that tells what it holds.

``python -m benchmarks._train_worker FOLDER [die STEP | pause STEP]``: the second process kills
itself once after so many steps, or all pause there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from vidfit.hardware import peak_bytes
from vidfit.jobs.train.folder import execute
from vidfit.networks.step import make_optimizer
from vidfit.training import loop


def main() -> int:
    folder, wish = Path(sys.argv[1]), sys.argv[2:]
    rank = int(os.environ.get("RANK", "0"))
    held: dict[str, float] = {}
    _watch(held)
    ended = execute(folder, stop=_stop(folder, rank, *wish) if wish else lambda: False)
    if ended:
        held |= {"peak": peak_bytes()}
        (folder / f"held-{rank}.json").write_text(json.dumps(held))
    return 0


def _stop(folder: Path, rank: int, wish: str, step: str) -> Callable[[], bool]:
    calls, mark = iter(range(1, 1_000_000)), folder / "has died"

    def stop() -> bool:
        reached = next(calls) >= int(step)
        if reached and wish == "die" and rank == 1 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return reached and wish == "pause"

    return stop


def _watch(held: dict[str, float]) -> None:
    """Take what a process holds right before a step, and its processor's time between steps."""
    make, first = make_optimizer, [0.0]

    def made(network: torch.nn.Module, recipe: Any) -> torch.optim.Optimizer:
        optimizer = make(network, recipe)

        def look(*_: Any) -> None:
            first[0] = first[0] or time.process_time()
            held["cpu_seconds"] = time.process_time() - first[0]
            held["steps"] = held.get("steps", -1) + 1
            learned = list(network.parameters())
            states = [value for state in optimizer.state.values() for value in state.values()]
            held["parameters"] = _bytes(learned)
            held["gradients"] = _bytes([p.grad for p in learned if p.grad is not None])
            held["state"] = _bytes([value for value in states if isinstance(value, Tensor)])

        optimizer.register_step_pre_hook(look)
        return optimizer

    loop.make_optimizer = made  # type: ignore[attr-defined]


def _bytes(tensors: list[Tensor]) -> int:
    own = [t.to_local() if isinstance(t, DTensor) else t for t in tensors]
    return sum(t.numel() * t.element_size() for t in own)


if __name__ == "__main__":
    sys.exit(main())
