"""One shard, written whole or not at all.

What is in it depends on its plan and the videos alone: headers bear no time, user or machine.
Beside the shards, in ``.parts``, lies what is known of each that is finished.
"""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from vidfit.contracts import Failure, Frames, clip_key
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError, VideoError
from vidfit.features.digests import file_digest
from vidfit.features.views import gather_views
from vidfit.shards.layout import ShardPlan, Unit, frame_json, video_json
from vidfit.shards.tar import Tar
from vidfit.threads import in_threads
from vidfit.video import FrameLook, VideoReader, split_member
from vidfit.video.address import open_url
from vidfit.video.archive import PARTS
from vidfit.video.member import read_member
from vidfit.video.source import is_url, open_container, reason
from vidfit.work import Work

_BLOCK_BYTES = 1 << 20

Row = dict[str, Any]
"""A row of the index; see `vidfit.shards.index.SCHEMA`."""


@dataclass(frozen=True)
class ShardPart:
    """A finished shard, and clips that could not be read; its rows of the index lie on disk.

    Of ``digest`` see `vidfit.shards.tar.Tar`.
    """

    name: str
    samples: int
    failures: tuple[Failure, ...]
    size_bytes: int
    digest: str
    was_there: bool = False


def write_shard(
    plan: ShardPlan,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
) -> ShardPart:
    """Write a shard, unless it is there.

    A clip that cannot be read is left out and listed; it is tried again the next time.

    Parameters
    ----------
    stop
        Whether to give up; asked between clips.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    KeyboardInterrupt
        If ``stop`` said so.
    """
    finished = read_part(plan, folder)
    if finished is not None:
        return finished
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        with _temporary(folder, plan.name) as (path, stream):
            tar = Tar(stream)
            rows, failures = _write_units(plan, tar, stop)
            digest = tar.finish()
            os.fsync(stream.fileno())
            path.replace(folder / plan.name)
        samples = sum(row["frames"] or 1 for row in rows)
        part = ShardPart(plan.name, samples, tuple(failures), tar.size_bytes, digest)
        _write_part(part, rows, plan, folder)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder / plan.name}: {error.strerror or error}; free space or choose "
            "another folder. Finished shards are kept: the same command goes on"
        ) from error
    return part


@dataclass(frozen=True)
class WriteShards:
    """The task of writing shards, wherever it runs (`vidfit.work.Workload`).

    On an interrupt a shard is given up at its next clip; those that are finished are kept.
    """

    folder: str
    item: type[ShardPlan] = ShardPlan
    result: type[ShardPart] = ShardPart

    def open(self, workers: int) -> Work[ShardPlan, ShardPart]:
        """Return what writes shards, each in one of the threads."""
        stop = threading.Event()

        def one(plan: ShardPlan) -> ShardPart:
            return write_shard(plan, Path(self.folder), stop.is_set)

        return lambda plans: in_threads(one, plans, workers, stop.set)


def read_part(plan: ShardPlan, folder: Path) -> ShardPart | None:
    """Return what is known of a shard that is finished and is as the plan says, else ``None``."""
    try:
        found = json_in((folder / PARTS / f"{plan.name}.json").read_text(encoding="utf-8"))
        size = (folder / plan.name).stat().st_size
        if found["plan"] != plan.digest or found["size_bytes"] != size or found["failures"]:
            return None
        samples, digest = int(found["samples"]), str(found["digest"])
        return ShardPart(plan.name, samples, (), size, digest, was_there=True)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def read_rows(part: ShardPart, folder: Path) -> list[Row]:
    """Return the rows of the index of a finished shard.

    Raises
    ------
    StoreError
        If they were taken away, or damaged, since the shard was written.
    """
    path = folder / PARTS / f"{part.name}.json"
    try:
        rows: list[Row] = json_in(path.read_text(encoding="utf-8"))["rows"]
        return rows
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged_part(part, folder, error) from error


def damaged_part(part: ShardPart, folder: Path, error: Exception) -> StoreError:
    """Return the error of a shard of which what is known was damaged."""
    path = folder / PARTS / f"{part.name}.json"
    return StoreError(f"{path} is damaged ({error}); remove it and shard again")


def _write_part(part: ShardPart, rows: Sequence[Row], plan: ShardPlan, folder: Path) -> None:
    document = {**asdict(part), "rows": rows, "plan": plan.digest}
    with _temporary(folder / PARTS, f"{plan.name}.json") as (path, stream):
        stream.write(to_json(document, ascii_only=False).encode("utf-8", "backslashreplace"))
        stream.flush()
        path.replace(folder / PARTS / f"{plan.name}.json")


@contextmanager
def _temporary(folder: Path, name: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file of this thread alone; what a killed process left is swept by `sweep`."""
    place = f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    path = folder / f".tmp-{name}-{place}"
    try:
        with path.open("wb") as stream:
            yield path, stream
    finally:
        with suppress(OSError):
            path.unlink()


@contextmanager
def new_in(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a file that is there as a whole or not at all, by a name that `sweep` knows.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    """
    try:
        with _temporary(folder, name) as (path, stream):
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            path.replace(folder / name)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder / name}: {error.strerror or error}; free space or choose "
            "another folder. Finished shards are kept: the same command goes on"
        ) from error


def sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left."""
    for path in [*folder.glob(".tmp-*"), *(folder / PARTS).glob(".tmp-*")]:
        host, _, rest = path.name.partition(f"-{socket.gethostname()}-")
        process = rest.partition("-")[0]
        if host and process.isdigit() and not Path(f"/proc/{process}").exists():
            path.unlink(missing_ok=True)


# ---------------------------------------------------------------- samples


def _write_units(
    plan: ShardPlan, tar: Tar, stop: Callable[[], bool]
) -> tuple[list[Row], list[Failure]]:
    rows, failures = [], []
    for unit in plan.units:
        if stop():
            raise KeyboardInterrupt
        tar.begin()
        try:
            row = _video(unit, tar) if plan.look is None else _frames(unit, plan.look, tar)
            rows.append({**row, "shard": plan.name, **tar.sample()})
        except VideoError as error:
            tar.forget()
            why = str(error).removeprefix(f"{unit.path}: ")
            named = (replace(clip, path=unit.name) for clip in unit.clips)
            failures += [Failure(clip_key(clip), why) for clip in named]
    return rows, failures


def _video(unit: Unit, tar: Tar) -> Row:
    """Store a video and what is known of it."""
    open_container(unit.path, look_inside=False).close()
    name = f"{unit.key}{unit.suffix}"
    sha = tar.copy(name, unit.size_bytes, _whole(unit))
    tar.member(f"{unit.key}.json", video_json(unit, sha))
    return _row(unit, name, sha, 0)


def _whole(unit: Unit) -> Iterator[bytes]:
    """Yield the blocks of a video, of as many bytes as it was laid out for."""
    read = 0
    for block in _blocks(unit.path):
        read += len(block)
        yield block
    if read != unit.size_bytes:
        raise VideoError(
            f"{unit.path}: had {unit.size_bytes} bytes when shards were laid out, and has "
            f"{read} now; shard again when nothing writes to it"
        )


def _blocks(path: str) -> Iterator[bytes]:
    if split_member(path):
        yield read_member(path)
        return
    try:
        if is_url(path):
            with open_url(path) as stream:
                while block := stream.read(_BLOCK_BYTES):
                    yield block
            return
        with Path(path).open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block
    except VideoError:
        raise
    except Exception as error:  # every fsspec backend has errors of its own
        raise VideoError(f"{path}: cannot be read: {reason(error)}") from error


def _frames(unit: Unit, look: FrameLook, tar: Tar) -> Row:
    """Store the frames of a clip that a look takes."""
    (clip,) = unit.clips
    content = file_digest(clip.path)
    with VideoReader(clip.path) as reader:
        ((index_VT, frames_VTHWC),) = gather_views(reader, clip, [look])
        pts_seconds, duration = reader.pts_seconds, reader.duration_seconds
        if reader.stored:
            duration = reader.stored.duration_seconds
    for number, (view, time) in enumerate(np.ndindex(*index_VT.shape)):
        index = int(index_VT[view, time])
        known = {
            "view": view, "time": time, "index": index, "pts_seconds": float(pts_seconds[index]),
            "duration_seconds": duration, "content": content,
        }  # fmt: skip
        tar.member(f"{unit.key}/{number:06d}.npy", _npy(frames_VTHWC[view, time]))
        tar.member(f"{unit.key}/{number:06d}.json", frame_json(unit, look, known))
    return _row(unit, unit.key, content, index_VT.size)


def _npy(frame_HWC: Frames) -> bytes:
    stream = io.BytesIO()
    np.save(stream, frame_HWC, allow_pickle=False)
    return stream.getvalue()


def _row(unit: Unit, member: str, content: str, frames: int) -> Row:
    clip = unit.clips[0]
    return {
        "key": unit.key,
        "member": member,
        "content": content,
        "content_bytes": 0 if frames else unit.size_bytes,
        "label": clip.label,
        "group": clip.group,
        "split": clip.split,
        "text": clip.text,
        "path": unit.name,
        "spans": [
            {
                "row": row, "start_seconds": clip.start_seconds, "end_seconds": clip.end_seconds,
                "label": clip.label, "group": clip.group, "split": clip.split, "text": clip.text,
            }
            for row, clip in zip(unit.rows, unit.clips, strict=True)
        ],
        "frames": frames,
    }  # fmt: skip


def failures_of(parts: Sequence[ShardPart]) -> list[Failure]:
    """Return the clips that could not be read, in the order of the shards."""
    return [failure for part in parts for failure in part.failures]
