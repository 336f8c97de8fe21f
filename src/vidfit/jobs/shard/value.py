"""What `shard` did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidfit.contracts import Failure


@dataclass(frozen=True)
class Sharded:
    """What `shard` did.

    Parameters
    ----------
    document
        As ``shards.json`` has it.
    reason
        Why shards are of their size, and what is waited for.
    splits
        By split, clips and recordings.
    were_there
        Shards that an earlier run had finished.
    failures
        Clips that are not in the shards, with reasons.
    """

    document: dict[str, Any]
    reason: str
    splits: dict[str, tuple[int, int]]
    were_there: int
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    wall_seconds: float
