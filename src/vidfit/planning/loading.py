"""How clips are read ahead, and how long a step waits for them."""

from __future__ import annotations

from dataclasses import replace

from vidfit.plans import Data, Layout, Machine

SMALL_WAIT = 0.05
"""Share of a step's time that waiting may take."""

SHARD_CLIPS = (16, 256)


def waiting_seconds(layout: Layout, data: Data, machine: Machine, step_seconds: float) -> float:
    """Return the seconds of a step that are spent on, or lost by, reading its clips.

    Without loader processes a step reads first and computes then. With them the slower of the
    two decides; on a CPU both share the cores, so that reading takes its share of them, too.
    """
    read = layout.micro_batch * layout.accumulation * data.read_seconds
    if not layout.loader_workers:
        return read
    behind = max(0.0, read / layout.loader_workers - step_seconds)
    if machine.device == "cuda":
        return behind
    return max(behind, read / machine.cores)


def workers_for(layout: Layout, data: Data, machine: Machine, step_seconds: float) -> int:
    """Return the fewest loader processes with which a step waits little, or no less with more."""
    most = max(0, machine.cores // machine.devices - (machine.device == "cpu"))

    def waits(workers: int) -> float:
        return waiting_seconds(replace(layout, loader_workers=workers), data, machine, step_seconds)

    best = min(range(most + 1), key=waits)
    enough = [w for w in range(best) if waits(w) <= SMALL_WAIT * step_seconds]
    return enough[0] if enough else best


def shard_clips_for(data: Data, layout: Layout) -> int:
    """Return the clips of a shard: several shards for each process and reader, so that all read."""
    readers = layout.processes * max(1, layout.loader_workers)
    even = data.clips / (4 * readers)
    low, high = SHARD_CLIPS
    return int(min(max(2 ** int(max(even, 1)).bit_length() // 2, low), high))
