"""Features on disk: what was computed once is never computed again.

Layout::

    root/<key of backbone, sampling and preprocessing>/spec.json
                                                      /part-<sha256 of its bytes>.parquet
                                                      /pack-<random>.tar, .index

A part is written under a temporary name and renamed, so that a reader sees all of it or
nothing, whoever else writes and whenever a process is killed. Parts are never changed.
A part whose bytes are not those of its name is set aside and its rows are computed again.
Where parts are many they are joined to packs (`vidfit.features.joining`).
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vidfit.contracts import BackboneSpec, ClipFeatures
from vidfit.documents import to_json
from vidfit.errors import StoreError
from vidfit.features import joining
from vidfit.features.digests import spec_key
from vidfit.features.held import HeldKeys
from vidfit.features.packs import Pack, is_pack, listed, part_name, reading
from vidfit.files import enough_memory, read_parquet, sha256, write_whole

_STALE_SECONDS = 24 * 3600.0
_SCHEMA = pa.schema(
    [
        ("clip", pa.string()),
        ("tokens", pa.list_(pa.float32())),
        ("dim", pa.int32()),
        ("indices", pa.list_(pa.int64())),
        ("pts_seconds", pa.list_(pa.float64())),
        ("forward_seconds", pa.float64()),
        ("note", pa.string()),
    ]
)
_NOTE = "note"
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class FeatureStore:
    """A folder of features, safe under concurrent writers and a kill at any moment.

    Parameters
    ----------
    root
        The folder; made when something is first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._own: dict[Path, list[Path]] = {}
        """By folder, parts that were written by this object and are in no pack yet."""

    def known(self, spec: BackboneSpec) -> set[str]:
        """Return the digests of the clips whose features should be here.

        Only names are read: of a part with other damage `rows` gives nothing and sets it aside.
        """
        return {
            digest
            for table in self._parts(spec, _read_names, _names_of)
            for digest in table["clip"].to_pylist()
        }

    def held(self, spec: BackboneSpec) -> HeldKeys:
        """Return what says of a digest whether its clip's features should be here.

        Of packs the indexes alone are read, about 11 bytes a clip: what is damaged in them is
        noticed by `known` and `rows`.
        """
        folder = self._swept(spec)
        names: set[str] = set()
        shorts = []
        for path in listed(folder):
            if is_pack(path):
                with suppress(FileNotFoundError):  # joined with others, which are listed then
                    shorts.append(Pack.open(path).short_R)
            else:
                for table in _sound(path, _read_names):
                    names.update(table["clip"].to_pylist())
        return HeldKeys(names, shorts)

    def rows(self, spec: BackboneSpec) -> Iterator[tuple[str, ClipFeatures]]:
        """Yield digest and features of every clip, one part in memory at a time."""
        for table in self._parts(spec, _read_whole, _table_of):
            columns = {name: table[name].combine_chunks() for name in table.column_names}
            dims = columns["dim"].to_numpy()
            for i, digest in enumerate(columns["clip"].to_pylist()):
                yield (
                    digest,
                    ClipFeatures(
                        columns["tokens"][i].values.to_numpy().reshape(-1, dims[i]),
                        columns["indices"][i].values.to_numpy(),
                        columns["pts_seconds"][i].values.to_numpy(),
                        columns["forward_seconds"][i].as_py(),
                        columns["note"][i].as_py() if "note" in columns else "",
                    ),
                )

    def write(self, spec: BackboneSpec, rows: Mapping[str, ClipFeatures]) -> None:
        """Add features of clips, all or none of them.

        As soon as this object has written `joining.FEW` parts, it joins them.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        if not rows:
            return
        table = pa.Table.from_pylist(
            [
                {
                    "clip": digest,
                    "tokens": features.tokens_ND.astype(np.float32, copy=False).ravel(),
                    "dim": features.tokens_ND.shape[1],
                    "indices": features.indices,
                    "pts_seconds": features.pts_seconds,
                    "forward_seconds": features.forward_seconds,
                    "note": features.note,
                }
                for digest, features in rows.items()
            ],
            schema=_SCHEMA,
        )
        folder = self.root / spec_key(spec)
        content = _encoded(table)
        if not (folder / "spec.json").exists():
            write_whole(folder / "spec.json", to_json(spec.facts, indent=1).encode())
        self._joined(write_whole(folder / part_name(content), content))

    def _joined(self, written: Path) -> None:
        """Join the parts that were written here, if they are many and nobody else is at it."""
        folder = written.parent
        with self._lock:
            own = self._own.setdefault(folder, [])
            own.append(written)
            if len(own) < joining.FEW:
                return
            self._own[folder] = []
        with suppress(StoreError):  # they stay as they are, until all are joined
            with joining.alone(folder) as free:  # `keep` would miss rows that move meanwhile
                if free:
                    joining.join_all(folder, own)
                    return
            with self._lock:
                self._own[folder] += own

    def compact(self, spec: BackboneSpec) -> int:
        """Join the files of an encoder, if they are many; return how many there were.

        Others may read and write meanwhile, and a kill at any moment loses nothing.

        Raises
        ------
        StoreError
            If the disk is full, or a file cannot be read or removed.
        """
        return joining.compact(self.root / spec_key(spec))

    def keep(self, digests: set[str]) -> int:
        """Remove all rows but those of some clips, of all encoders; return how many went.

        Parts that were set aside as damaged go, too. Whoever reads meanwhile sees a part or none.

        Raises
        ------
        StoreError
            If a part cannot be written or removed.
        """
        wanted = pa.array(sorted(digests), pa.string())
        removed = 0
        for folder in sorted({path.parent for path in self.root.glob("*/pa*")}):
            # Who joins parts may have read them already.
            with joining.alone(folder, wait=True), enough_memory(folder):
                for path in listed(folder):
                    removed += _keep_of_pack(path, wanted) if is_pack(path) else _keep(path, wanted)
                for path in folder.glob("part-*.broken"):
                    _remove(path)
        return removed

    def _swept(self, spec: BackboneSpec) -> Path:
        folder = self.root / spec_key(spec)
        _sweep(folder)
        return folder

    def _parts(
        self,
        spec: BackboneSpec,
        read: Callable[[Path], pa.Table],
        of: Callable[[bytes], pa.Table],
    ) -> Iterator[pa.Table]:
        """Yield parts, each once: loose ones as they are read, packed ones of their bytes."""
        done: set[str] = set()
        for path in listed(self._swept(spec)):
            if is_pack(path):
                yield from _unpacked(path, of, done)
            elif path.name not in done:
                for table in _sound(path, read):
                    done.add(path.name)
                    yield table


def _sound(path: Path, read: Callable[[Path], pa.Table]) -> Iterator[pa.Table]:
    """Yield a part unless it is damaged, and is set aside then."""
    try:
        with enough_memory(path):
            table = read(path)
    except FileNotFoundError:  # another process set it aside, or joined it with others
        return
    except (pa.ArrowException, ValueError, KeyError, OSError) as error:
        _set_aside(path, error)
    else:
        yield table


def _unpacked(path: Path, of: Callable[[bytes], pa.Table], done: set[str]) -> Iterator[pa.Table]:
    """Yield the parts of a pack that are not done; leave damaged ones out of its index."""
    damaged = set()
    try:
        pack = Pack.open(path)
        for part, content in pack.contents(done):
            try:
                if content is None:
                    raise ValueError("its bytes are not those that were written")
                with reading(path):
                    table = of(content)
            except (pa.ArrowException, ValueError, KeyError):
                damaged.add(part.name)
            else:
                done.add(part.name)
                yield table
    except FileNotFoundError:  # it was joined with others
        return
    if damaged:
        with suppress(StoreError):  # they are found damaged the next time, too
            pack.without(damaged)


def _kept(table: pa.Table, wanted: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table["clip"], wanted))


def _keep(path: Path, wanted: pa.Array) -> int:
    """Remove rows of a part but those that are wanted, and all of a damaged one."""
    removed = 0
    tables = [*_sound(path, _read_whole)]
    for table in tables:
        kept = _kept(table, wanted)
        removed = len(table) - len(kept)
        if removed and len(kept):
            content = _encoded(kept)
            write_whole(path.with_name(part_name(content)), content)
    if removed or not tables:
        _remove(path)
    return removed


def _keep_of_pack(path: Path, wanted: pa.Array) -> int:
    """Remove rows of a pack but those that are wanted, and what is damaged in it."""
    done: set[str] = set()
    removed = sum(len(t) - len(_kept(t, wanted)) for t in _unpacked(path, _table_of, done))

    def change(content: bytes) -> bytes | None:
        table = _table_of(content)
        kept = _kept(table, wanted)
        if len(kept) == len(table):
            return content
        return _encoded(kept) if len(kept) else None

    with suppress(FileNotFoundError):  # it was joined with others, which are listed then
        pack = Pack.open(path)
        if removed or pack.has_more or any(part.name not in done for part in pack.parts):
            joining.join(path.parent, [path], change)
    return removed


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be removed: {error.strerror}; delete it") from error


def _encoded(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    # Dictionaries of distinct numbers would take more time and more room.
    pq.write_table(
        table, buffer, compression="zstd", use_dictionary=False, write_page_checksum=True
    )
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def _read_names(path: Path) -> pa.Table:
    """Read the names of the clips only."""
    table = read_parquet(path, ["clip"])
    return table.select(["clip"])


def _names_of(content: bytes) -> pa.Table:
    return read_parquet(pa.BufferReader(content), ["clip"])


def _read_whole(path: Path) -> pa.Table:
    """Read a part and hold it against its name: checksums of pages do not cover the footer."""
    content = path.read_bytes()
    if path.name != part_name(content):
        raise ValueError("its bytes are not those that were written")
    return _table_of(content)


def _table_of(content: bytes) -> pa.Table:
    table = read_parquet(pa.BufferReader(content))
    # Older parts have no notes.
    found = [field for field in _SCHEMA if field.name != _NOTE or _NOTE in table.column_names]
    table = table.select([field.name for field in found]).cast(pa.schema(found))
    _check_rows(table)
    return table


def _check_rows(table: pa.Table) -> None:
    """Refuse rows that are no features, whoever wrote them."""
    if any(table[name].null_count for name in table.column_names if name != _NOTE):
        raise ValueError("it has rows without a value")
    dims = table["dim"].to_numpy()
    lengths = pc.list_value_length(table["tokens"]).to_numpy()
    if (dims < 1).any() or (lengths % np.maximum(dims, 1)).any():
        raise ValueError("its tokens are not of the size that it says")


def _set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged part where that is allowed.

    Arrow tells damage from a refusing system by the error number; but a part whose bytes are
    those of its name is whole, whatever Arrow says of the system.
    """
    try:
        if isinstance(error, OSError) and (error.errno or sha256(path)[:32] in path.name):
            raise StoreError(
                f"cannot read features in {path}: {error}; nothing was changed"
            ) from error
        path.replace(path.with_suffix(".broken"))
    except OSError as refused:
        if isinstance(refused, FileNotFoundError) or refused.errno in _READ_ONLY:
            return  # another process was first; or nobody may
        raise StoreError(
            f"{path} is damaged and cannot be set aside: {refused.strerror}; delete it"
        ) from refused


def _sweep(folder: Path) -> None:
    """Remove what killed writers left long ago."""
    for path in folder.glob(".tmp-*"):
        with suppress(OSError):  # another process swept it, or it may not be removed
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
