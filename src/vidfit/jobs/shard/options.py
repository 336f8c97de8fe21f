"""What a user may ask of `shard`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vidfit.errors import VidfitError
from vidfit.launch import HERE

By = Literal["video", "frame"]


@dataclass(frozen=True)
class ShardOptions:
    """What a user may ask of `shard`.

    Parameters
    ----------
    by
        ``"video"`` stores the files, ``"frame"`` the frames that a network looks at.
    shard_bytes, shard_clips
        When a shard is full; by the plan, or for `USUAL_READERS`, when neither is given.
    like
        Backbone whose frames are stored.
    plan
        A ``plan.json``: whose frames are stored, and how many will read.
    groups
        File that maps clips to recordings.
    holdout
        Share of the recordings, in [0, 1), put aside as test split, unless the data has one.
    workers
        Threads that read, or decode; ``None`` means one for each usable core.
    on
        Where shards are written: ``"here"``, ``"spark"`` or the address of a cluster; see
        `vidfit.launch.launcher`.
    own
        ``FILE.py:NAME`` of an encoder of one's own that the plan names.
    """

    by: By = "video"
    shard_bytes: int | None = None
    shard_clips: int | None = None
    like: str | None = None
    plan: Path | None = None
    groups: Path | None = None
    holdout: float = 0.0
    workers: int | None = None
    on: str = HERE
    own: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        for name in ("shard_bytes", "shard_clips", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise VidfitError(f"{name} is {value}; give 1 or more, or None to leave it open")
        if self.by not in get_args(By):
            raise VidfitError(f"by is {self.by!r}; valid are 'video' and 'frame'")
        if self.shard_bytes and self.shard_clips:
            raise VidfitError("give a shard's bytes or its clips, not both")
        if not 0 <= self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; it is a share of recordings in [0, 1)")
        if self.by == "video" and self.like:
            raise VidfitError(
                "like says which frames are stored, and by video none are; leave it away, or "
                "shard by frame"
            )
        if self.by == "frame" and not (self.like or self.plan):
            raise VidfitError(
                "by frame needs to know which frames: name a backbone with like, or a plan.json"
            )
