"""What lies beside the shards: ``index.parquet`` with a row for each unit, and ``shards.json``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vidfit.contracts import Failure
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError
from vidfit.files import write_whole
from vidfit.shards.layout import ShardSize
from vidfit.shards.write import ShardPart
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
        ("sha256", pa.string()),
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


def settings(look: FrameLook | None, size: ShardSize, clips: str) -> dict[str, Any]:
    """Return what decides on the shards: what is stored, their size, and which clips."""
    return {
        "format": 1,
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


def write_index(folder: Path, parts: Sequence[ShardPart]) -> None:
    """Write the rows of all shards, in their order."""
    table = pa.Table.from_pylist([row for part in parts for row in part.rows], schema=SCHEMA)
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    write_whole(folder / INDEX, buffer.getvalue().to_pybytes())


def write_document(
    folder: Path, told: dict[str, Any], parts: Sequence[ShardPart], failures: Sequence[Failure]
) -> dict[str, Any]:
    """Write what the shards are; the folder is finished then."""
    rows = [row for part in parts for row in part.rows]
    document = {
        **told,
        "vidfit": version("vidfit"),
        "totals": {
            "shards": len(parts),
            "videos": len({row["path"] for row in rows}),
            "clips": sum(len(row["spans"]) for row in rows),
            "samples": sum(row["frames"] or 1 for row in rows),
            "bytes": sum(part.size_bytes for part in parts),
        },
        "shards": [
            {
                "name": part.name,
                "bytes": part.size_bytes,
                "sha256": part.sha256,
                "samples": sum(row["frames"] or 1 for row in part.rows),
            }
            for part in parts
        ],
        "failures": [{"clip": failure.name, "reason": failure.reason} for failure in failures],
    }
    write_whole(folder / DOCUMENT, to_json(document, indent=1, ascii_only=False).encode())
    return document


def unfinish(folder: Path, names: set[str]) -> None:
    """Take away what says that the folder is finished, and shards that are no longer laid out."""
    for path in [folder / DOCUMENT, folder / INDEX]:
        path.unlink(missing_ok=True)
    for path in folder.glob("*.tar"):
        part = folder / PARTS / f"{path.name}.json"
        if path.name not in names and part.is_file():
            path.unlink()
            part.unlink()
