"""Whether shards are still as they were written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidfit.contracts import Failure
from vidfit.documents import read_json
from vidfit.errors import StoreError
from vidfit.files import sha256
from vidfit.hardware import hardware
from vidfit.progress import SILENT, Progress
from vidfit.shards.tar import digest_of
from vidfit.threads import in_threads
from vidfit.video.archive import DOCUMENT, INDEX


@dataclass(frozen=True)
class Verified:
    """How many shards were read, their bytes, and what is wrong with which."""

    shards: int
    size_bytes: int
    failures: tuple[Failure, ...]


def verify_shards(
    folder: Path, workers: int | None = None, progress: Progress = SILENT
) -> Verified:
    """Read all shards of a folder and compare them with what ``shards.json`` says.

    Parameters
    ----------
    workers
        Threads; ``None`` takes all cores.

    Raises
    ------
    StoreError
        If the folder holds no finished shards, or what it says of them is damaged.
    """
    wanted = _wanted(folder)
    found = [] if (folder / INDEX).is_file() else [Failure(INDEX, "is missing; shard again")]
    others = {path.name for path in folder.glob("*.tar")} - {shard.name for shard in wanted}
    found += [Failure(name, f"is not in {DOCUMENT}; remove it") for name in sorted(others)]
    progress.start("verify", len(wanted))
    workers = workers or hardware().cores
    told = in_threads(lambda shard: _fault(folder / shard.name, shard), wanted, workers)
    for shard, fault in zip(wanted, told, strict=True):
        progress.advance()
        found += [Failure(shard.name, fault)] if fault else []
    return Verified(len(wanted), sum(shard.size_bytes for shard in wanted), tuple(found))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A shard as it was written; ``of_file`` says that its digest is the sha256 of the file."""

    name: str
    size_bytes: int
    digest: str
    of_file: bool


def _wanted(folder: Path) -> list[_Wanted]:
    """Return what each shard should be."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise StoreError(
            f"{folder} has no {DOCUMENT}: it holds no shards, or they are not finished; the "
            "command that writes them goes on"
        )
    try:
        return list(_facts(read_json(path)))
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise StoreError(f"{path} is damaged ({error}); shard again") from error


def _facts(document: Any) -> Iterator[_Wanted]:  # noqa: ANN401  (JSON)
    for shard in document["shards"]:
        name = str(shard["name"])
        if Path(name).name != name or b"\0" in os.fsencode(name):
            raise ValueError(f"it names a file elsewhere, {name!r}")
        of_file = document["format"] == 1
        digest = str(shard["sha256" if of_file else "digest"])
        yield _Wanted(name, int(shard["bytes"]), digest, of_file)


def _fault(path: Path, wanted: _Wanted) -> str:
    """Return what is wrong with a shard; nothing where it is as it was written."""
    try:
        there = path.stat().st_size
        if there != wanted.size_bytes:
            return f"has {there} bytes, and had {wanted.size_bytes}; remove it and shard again"
        if not _is_as_written(path, wanted):
            return "was altered after it was written; remove it and shard again"
    except FileNotFoundError:
        return "is missing; shard again"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""


def _is_as_written(path: Path, wanted: _Wanted) -> bool:
    if wanted.of_file:
        return sha256(path) == wanted.digest
    try:
        with path.open("rb") as stream:
            return digest_of(stream) == wanted.digest
    except ValueError:
        return False
