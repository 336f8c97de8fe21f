"""A folder of shards as a list of clips: what `vidfit shard` wrote, here or at a URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.contracts import Clip
from vidfit.documents import from_json
from vidfit.errors import ManifestError
from vidfit.files import enough_memory, read_parquet
from vidfit.manifest.value import Listing
from vidfit.shown import name_of
from vidfit.video.address import reach, reason_of
from vidfit.video.archive import DOCUMENT, INDEX, PARTS

if TYPE_CHECKING:
    import pyarrow as pa


_FORMATS = (1, 2)
"""In the first, shards have the sha256 of the file in place of the digest of its members."""


def holds_shards(folder: str | Path) -> bool:
    """Return whether a folder, or the folder of a URL, is one of shards, finished or not."""
    address = str(folder)
    if "://" in address:
        # Nothing lies below an address with a query.
        return name_of(address) == address and _exists(f"{address.rstrip('/')}/{INDEX}")
    path = Path(folder)
    if any((path / name).exists() for name in (INDEX, DOCUMENT, PARTS)):
        return True
    suffixes = {entry.suffix for entry in path.iterdir() if not entry.name.startswith(".")}
    return suffixes == {".tar"}  # of a data set's folder, one beside other things is no shard


def read_shards(folder: str | Path) -> Listing:
    """List the clips of shards, in the order of the list that they were sharded from.

    Raises
    ------
    ManifestError
        If the index is missing or damaged, or the shards are not finished.
    """
    root = str(folder).rstrip("/")
    document, table = read_document(root), read_index(root, ["shard", "member", "spans"])
    listing = Listing(Path() if "://" in root else Path(folder), "the shards of its index")
    try:
        spans = [
            (span["row"], Clip(f"{root}/{inside(row['shard'])}::{row['member']}", **_clip(span)))
            for row in table.to_pylist()
            for span in row["spans"]
        ]
        listing.clips = [clip for _, clip in sorted(spans, key=lambda item: item[0])]
        for failure in document["failures"]:
            listing.reject(str(failure["clip"]), f"is not in the shards: {failure['reason']}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise otherwise(root, error) from error
    listing.grouping = f"from {INDEX} of the shards"
    return listing


def iter_members(root: str) -> Iterator[str]:
    """Yield each video of a folder of shards, or its URL, once, whatever the number of its clips.

    Raises
    ------
    ManifestError
        If the index is missing or damaged, or the shards are not finished.
    """
    root = root.rstrip("/")
    read_document(root)
    rows = read_index(root, ["shard", "member"]).to_pylist()
    try:
        yield from [f"{root}/{inside(row['shard'])}::{row['member']}" for row in rows]
    except (AttributeError, ValueError) as error:
        raise otherwise(root, error) from error


def read_document(root: str) -> dict[str, Any]:
    """Read what shards are; see `vidfit.shards.index`.

    Raises
    ------
    ManifestError
        If it is missing: they are not finished then; or damaged.
    """
    try:
        found = from_json(_read(f"{root}/{DOCUMENT}"))
        if found["format"] not in _FORMATS:
            raise ManifestError(f"{root} is of a newer vidfit; update vidfit")
        if missing := {"by", "shards", "failures"} - found.keys():
            raise KeyError(*missing)
    except FileNotFoundError as error:
        raise ManifestError(
            f"{root} holds shards, but no {DOCUMENT}: `vidfit shard` has not finished there; the "
            "same command goes on. Tars of others want a table of clips with the columns path and "
            "label, in which a member is A.tar::NAME"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{root}/{DOCUMENT} is damaged ({error}); shard again") from error
    return dict(found)


def read_index(root: str, columns: Sequence[str]) -> pa.Table:
    """Read some columns of the rows of shards.

    Raises
    ------
    ManifestError
        If it is missing or damaged.
    StoreError
        If memory is short.
    """
    import pyarrow as pa

    try:
        with enough_memory(root):
            return read_parquet(pa.BufferReader(_read(f"{root}/{INDEX}")), columns)
    except FileNotFoundError as error:
        raise ManifestError(
            f"{root} holds shards, but no {INDEX}; copy it again, or run `vidfit shard` again: "
            "finished shards are kept"
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ManifestError(
            f"{root}/{INDEX} is damaged ({error}); copy it again, or run `vidfit shard` again: "
            "finished shards are kept"
        ) from error


def otherwise(root: str, error: Exception) -> ManifestError:
    """Return the error of an index, or of a document, that holds what it cannot."""
    return ManifestError(
        f"{root} is described otherwise than `vidfit shard` does it ({type(error).__name__}: "
        f"{error}); copy it again, or shard again"
    )


def inside(shard: str) -> str:
    """Return the name of a shard, which lies below its index.

    Raises
    ------
    ValueError
        If it lies elsewhere.
    """
    if shard.startswith("/") or ".." in shard.split("/"):
        raise ValueError(f"it names a shard elsewhere, {shard!r}")
    return shard


def _clip(span: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in span.items() if name != "row"}


def _read(address: str) -> bytes:
    if "://" not in address:
        return Path(address).read_bytes()
    try:
        system, path = reach(address)
        return bytes(system.cat_file(path))
    except FileNotFoundError:
        raise
    except Exception as error:  # every fsspec backend has errors of its own
        why = reason_of(error, address)
        raise ManifestError(f"{address} cannot be read: {why}; check the address") from error


def _exists(address: str) -> bool:
    try:
        system, path = reach(address)
        return bool(system.exists(path))
    except Exception as error:  # every fsspec backend has errors of its own
        why = reason_of(error, address)
        raise ManifestError(f"{address} cannot be reached: {why}; check the address") from error
