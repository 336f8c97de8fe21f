"""Copies of one clip in several recordings: what is learned from one would answer the other."""

from __future__ import annotations

from dataclasses import replace

from vidfit.errors import NotEnoughDataError
from vidfit.evaluate import merge_groups, near_duplicates
from vidfit.jobs.folds import check_enough
from vidfit.jobs.table import Table

COPY_BITS = 3.0
"""Clips nearer than that, of 64 bits a frame, are copies of one another.

Compressed hard or scaled, copies lie within 2 bits; of the surveillance clips of
`vidfit.evaluate.leakage` no two of differing recordings lie nearer than 16.
"""


def join_copies(table: Table, notes: list[str]) -> Table:
    """Count recordings that hold copies of one clip as one, unless too few would be left."""
    pairs = near_duplicates(table.keys, table.groups, table.hashes, threshold_bits=COPY_BITS)
    if not pairs:
        return table
    groups = merge_groups(table.keys, table.groups, pairs)
    clips = tuple(
        replace(clip, group=group) for clip, group in zip(table.clips, groups, strict=True)
    )
    before, after = len(set(table.groups)), len(set(groups))
    example = f"{pairs[0].first} and {pairs[0].second}"
    try:
        check_enough([clip for clip in clips if clip.split != "test"])
    except NotEnoughDataError:
        notes.append(
            f"Clips of different recordings are copies of one another ({example}), but with "
            f"{after} instead of {before} recordings too few would be left: scores are too high."
        )
        return table
    notes.append(
        f"Recordings that hold copies of one clip count as one ({example}): {after} instead of "
        f"{before}."
    )
    return replace(table, clips=clips)
