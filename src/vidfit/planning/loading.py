"""How clips are read ahead, and how long a step waits for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidfit.plans import Data, Layout, Machine

SMALL_WAIT = 0.05
"""Share of a step's time that waiting may take."""

SHARD_CLIPS = (16, 256)

SHARDS_A_READER = 4
"""So that none waits long for the one that has a shard more."""

OPEN_SECONDS = 0.05
"""To open a shard: the first byte of an object store; a local disk takes a hundredth of it."""

USUAL_READ_SECONDS = 0.02
"""Of a clip, where its reading was not measured: a few frames of a small video are decoded."""


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
    return shard_choice(data, layout).clips


@dataclass(frozen=True, slots=True)
class ShardChoice:
    """How many clips a shard holds, and what is waited for then.

    Parameters
    ----------
    shards, readers
        How many there are of each.
    opening_share
        Share of reading, in [0, 1], that goes to opening shards.
    idle_share
        Share of the time, in [0, 1), in which readers have nothing left to read while the one
        with most shards goes on, where whole shards are dealt out as plain WebDataset does.
    """

    clips: int
    shards: int
    readers: int
    opening_share: float
    idle_share: float

    @property
    def waiting_share(self) -> float:
        """Share of the readers' time, in [0, 1], in which nothing is read, for either reason."""
        return 1 - (1 - self.opening_share) * (1 - self.idle_share)

    @property
    def reason(self) -> str:
        """Why it is so, and what is waited for."""
        few = self.shards < SHARDS_A_READER * self.readers
        each = "the reader" if self.readers == 1 else f"each of {self.readers} readers"
        why = (
            f"fewer than {SHARDS_A_READER} for {each}: smaller shards are mostly opened"
            if few
            else f"{SHARDS_A_READER} or more for {each}, and no smaller: opening one takes up to "
            f"{OPEN_SECONDS * 1000:.0f} ms"
        )
        return f"{self.size}, {why}; {self.waiting}"

    @property
    def size(self) -> str:
        """How many shards there are, and how large, in words."""
        shards = "1 shard" if self.shards == 1 else f"{self.shards} shards"
        return f"{shards} of {self.clips} {'clip' if self.clips == 1 else 'clips'}"

    @property
    def waiting(self) -> str:
        """What is waited for, in words."""
        return (
            f"readers wait {self.waiting_share:.1%} of their time (shards are opened in "
            f"{self.opening_share:.1%} of reading, and readers have nothing left in "
            f"{self.idle_share:.1%} of the time)"
        )


def shard_choice(data: Data, layout: Layout) -> ShardChoice:
    """Return the size of shards with which readers wait least.

    Small shards are opened too often. Of large ones there are too few: some readers get one more
    than others, or none. Sizes are powers of two; of those that leave `SHARDS_A_READER` for each
    reader the one with least waiting is taken, and the larger of two that are alike.
    """
    low, high = SHARD_CLIPS
    sizes = [2**i for i in range(low.bit_length() - 1, high.bit_length())]
    choices = [shards_of(clips, data, layout) for clips in sizes]
    enough = [c for c in choices if c.shards >= SHARDS_A_READER * c.readers]
    return min(enough[::-1], key=lambda c: round(c.waiting_share, 4), default=choices[0])


def shards_of(clips: int, data: Data, layout: Layout) -> ShardChoice:
    """Return what is waited for with shards of a number of clips."""
    readers = layout.processes * max(1, layout.loader_workers)
    shards = max(1, -(-data.clips // clips))
    reading = min(clips, data.clips) * (data.read_seconds or USUAL_READ_SECONDS)
    idle = 1 - shards / (readers * -(-shards // readers))
    return ShardChoice(clips, shards, readers, OPEN_SECONDS / (OPEN_SECONDS + reading), idle)
