"""What tests of shards share."""

from __future__ import annotations

import hashlib

from vidfit.jobs.shard.options import ShardOptions

BY_VIDEO = ShardOptions(shard_clips=3, holdout=0.25)


def sums(folder):
    """Return the digest of everything that a reader sees."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
