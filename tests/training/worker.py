"""One of the processes that test_parallel starts: ``python -m tests.training.worker FOLDER``.

It writes what each way to share a network comes to; then the second process dies once in the
middle of a run, which torchrun starts anew.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path

from safetensors.torch import save_file
from tests.training.tiny import EVERYTHING, plan_of, run_of, stop_at, trained

PAUSE = 7
SHARED = ("ddp", "fsdp")


def plan(sharding):
    """Return a plan whose micro-batches, over two processes, are those of `alone`."""
    return plan_of(EVERYTHING, micro_batch=2, accumulation=2, processes=2, sharding=sharding)


def alone():
    return plan_of(EVERYTHING, micro_batch=4, accumulation=2)


def write(found, path):
    save_file(dict(found.weights), path.with_suffix(".safetensors"))
    history = [asdict(replace(epoch, seconds=0.0)) for epoch in found.history]
    path.with_suffix(".json").write_text(json.dumps(history))


def share(folder, first):
    for sharding in SHARED:
        whole = trained(plan(sharding))
        trained(plan(sharding), run_of(folder / f"{sharding}-paused", stop=stop_at(PAUSE)))
        resumed = trained(plan(sharding), run_of(folder / f"{sharding}-from-one"))
        if first:
            write(whole, folder / f"{sharding}-whole")
            write(resumed, folder / f"{sharding}-resumed")


def die_once(folder, rank):
    """Kill the second process as nothing else can, right after a step."""
    calls = iter(range(1, 10_000))

    def stop():
        mark = folder / "has died"
        if rank == 1 and next(calls) == PAUSE and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    return trained(plan("ddp"), run_of(folder / "checkpoint", stop=stop))


def main():
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    if not (folder / "has died").exists():
        share(folder, rank == 0)
    found = die_once(folder, rank)
    if rank == 0:
        write(found, folder / "survived")


if __name__ == "__main__":
    main()
