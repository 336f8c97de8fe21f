"""What lies beside the shards: ``index.parquet`` with a row for each unit, and ``shards.json``."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vidfit.contracts import Clip, Failure
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import write_whole
from vidfit.shards.layout import ShardSize, recording
from vidfit.shards.write import Row, ShardPart, damaged_part, new_in, read_rows
from vidfit.video import FrameLook
from vidfit.video.archive import DOCUMENT, INDEX, PARTS

_SPAN = pa.struct(
    [
        ("row", pa.int64()),
        ("start_seconds", pa.float64()),
        ("end_seconds", pa.float64()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("text", pa.string()),
    ]
)

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
        ("member", pa.string()),
        ("content", pa.string()),
        ("content_bytes", pa.int64()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("text", pa.string()),
        ("path", pa.string()),
        ("spans", pa.list_(_SPAN)),
        ("frames", pa.int32()),
    ]
)
"""``offset`` and ``bytes`` are of the sample with its headers; ``content`` is the sha256 of the
video; ``frames`` are the samples that a row stands for, 0 for a video; ``row`` of a span is its
place in the list of clips."""

SETTINGS = "settings.json"

_ROWS_AT_ONCE = 500
"""Of the index, in memory as columns, and in a row group of it. Arrow keeps pieces of all sizes
that it has used: with 2,000 rows these come to 17 MB, with 500 to 3."""

_REPEATED = [
    *("shard", "label", "group", "split", "text"),
    *(f"spans.list.element.{name}" for name in ("label", "group", "split", "text")),
]
"""Columns that repeat what they say; of others a dictionary would be larger than the column."""


def settings(look: FrameLook | None, size: ShardSize, clips: str) -> dict[str, Any]:
    """Return what decides on the shards: what is stored, their size, and which clips."""
    return {
        "format": 2,
        "by": "video" if look is None else "frame",
        **(look.facts if look else {}),
        "shard_bytes": size.most_bytes,
        "shard_clips": size.most_clips,
        "clips": clips,
    }


def claim(folder: Path, wanted: dict[str, Any]) -> None:
    """Take a folder for shards of these settings.

    Raises
    ------
    StoreError
        If it holds shards of others, or cannot be written.
    """
    path = folder / PARTS / SETTINGS
    try:
        found = json_in(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        found = {}
    if found is not None and not isinstance(found, dict):
        found = {}
    if found is None and ((folder / INDEX).exists() or any(folder.glob("*.tar"))):
        found = {}
    if found is not None and found != wanted:
        other = [name for name in wanted if found.get(name) != wanted[name]]
        raise StoreError(
            f"{folder} holds shards of {_listed(found, other)}; wanted: {_listed(wanted, other)}. "
            "Choose another folder, or remove this one first"
        )
    if found is None:
        write_whole(path, to_json(wanted, indent=1).encode())


def _listed(facts: dict[str, Any], names: Sequence[str]) -> str:
    if not facts:
        return "unknown settings"
    shown = [f"{name} {facts.get(name)}" for name in names if name != "clips"]
    return ", ".join([*shown, *(["other clips, or another split"] if "clips" in names else [])])


@dataclass(frozen=True)
class ShardTotals:
    """Of all shards: videos, clips, and by split its clips and recordings."""

    videos: int
    clips: int
    splits: dict[str, tuple[int, int]]


def write_index(folder: Path, parts: Iterable[ShardPart]) -> ShardTotals:
    """Write the rows of all shards in their order, a few shards in memory at a time.

    Raises
    ------
    StoreError
        If the disk is full, or what is known of a shard was damaged since it was written.
    """
    counts = _Counts()
    with (
        new_in(folder, INDEX) as stream,
        pq.ParquetWriter(
            stream, SCHEMA, compression="zstd", use_dictionary=_REPEATED, write_statistics=False
        ) as writer,
    ):
        for table in _batched(_tables(parts, folder, counts)):
            writer.write_table(table)
    return counts.totals


def _tables(parts: Iterable[ShardPart], folder: Path, counts: _Counts) -> Iterator[pa.Table]:
    """Yield and count the rows of each shard; columns take a tenth of what rows do."""
    for part in parts:
        rows = read_rows(part, folder)
        try:
            counts.add(rows)
            table = pa.Table.from_pylist(rows, schema=SCHEMA)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise damaged_part(part, folder, error) from error
        yield table


def _batched(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables in larger ones, a row group each."""
    some: list[pa.Table] = []
    for table in tables:
        some.append(table)
        if sum(map(len, some)) >= _ROWS_AT_ONCE:
            yield pa.concat_tables(some).combine_chunks()
            some = []
    if some:
        yield pa.concat_tables(some).combine_chunks()


class _Counts:
    """Counts rows; what is counted once is known by 8 bytes of its digest."""

    def __init__(self) -> None:
        self._videos = array("Q")
        self._clips: Counter[str] = Counter()
        self._groups: dict[str, array[int]] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows."""
        for row in rows:
            self._videos.append(_short(row["path"]))
            split = row["split"] or "no split"
            self._clips[split] += len(row["spans"])
            groups = self._groups.setdefault(split, array("Q"))
            for span in row["spans"]:
                groups.append(_short(recording(Clip(row["path"], group=span["group"]))))

    @property
    def totals(self) -> ShardTotals:
        """What was counted."""
        splits = {s: (n, _distinct(self._groups[s])) for s, n in self._clips.items()}
        return ShardTotals(_distinct(self._videos), sum(self._clips.values()), splits)


def _short(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _distinct(known: array[int]) -> int:
    return len(np.unique(np.frombuffer(known, np.uint64))) if known else 0


def write_document(
    folder: Path,
    told: dict[str, Any],
    parts: Sequence[ShardPart],
    totals: ShardTotals,
    failures: Sequence[Failure],
) -> dict[str, Any]:
    """Write what the shards are; the folder is finished then."""
    document = {
        **told,
        "vidfit": version("vidfit"),
        "totals": {
            "shards": len(parts),
            "videos": totals.videos,
            "clips": totals.clips,
            "samples": sum(part.samples for part in parts),
            "bytes": sum(part.size_bytes for part in parts),
        },
        "shards": [
            {
                "name": part.name,
                "bytes": part.size_bytes,
                "digest": part.digest,
                "samples": part.samples,
            }
            for part in parts
        ],
        "failures": [{"clip": failure.name, "reason": failure.reason} for failure in failures],
    }
    with new_in(folder, DOCUMENT) as stream:
        stream.write(to_json(document, indent=1, ascii_only=False).encode())
    return document


def outdated(folder: Path, names: set[str]) -> list[Path]:
    """Return the shards that were written here and are no longer laid out."""
    found = (path for path in folder.glob("*.tar") if path.name not in names)
    return [path for path in found if _part_of(path).is_file()]


def unfinish(folder: Path, old: Iterable[Path]) -> None:
    """Take away what says that the folder is finished, and shards that are `outdated`."""
    for path in [folder / DOCUMENT, folder / INDEX]:
        path.unlink(missing_ok=True)
    for path in old:
        path.unlink()
        _part_of(path).unlink()


def _part_of(shard: Path) -> Path:
    return shard.parent / PARTS / f"{shard.name}.json"
