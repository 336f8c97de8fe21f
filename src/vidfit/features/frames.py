"""The frames of clips on disk, for networks that learn from them epoch after epoch.

::

    root/<key of sampling and size>/<digest of the clip>.npy    uint8 [V, T, H, W, 3]

Files are named by what they hold and written whole: what is there is never decoded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from vidfit.contracts import Clip, Failure, Frames, clip_key
from vidfit.documents import to_json
from vidfit.errors import StoreError, VideoError
from vidfit.features.digests import clip_digest
from vidfit.features.views import Look, gather_views
from vidfit.files import new_file
from vidfit.progress import SILENT, Progress
from vidfit.threads import in_threads
from vidfit.video import FrameLook, VideoReader, split_member
from vidfit.video.stored import StoredFrames, holds_frames, mismatch
from vidfit.work import Launcher, Work, Workload


@dataclass(frozen=True)
class FrameFiles:
    """Where the frames of clips are, and which clips could not be read."""

    paths: dict[Clip, Path]
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Decoded:
    """A clip, and the file of its frames, or why there is none."""

    clip: Clip
    path: str
    failure: str = ""


@dataclass(frozen=True)
class DecodeFrames:
    """The task of bringing frames into files, wherever it runs (`vidfit.work.Workload`)."""

    look: Look
    folder: str
    item: type[Clip] = Clip
    result: type[Decoded] = Decoded

    def open(self, workers: int) -> Work[Clip, Decoded]:
        """Return what decodes clips in their order."""
        return lambda clips: in_threads(self._one, clips, workers)

    def _one(self, clip: Clip) -> Decoded:
        return decoded_once(clip, self.folder, self._write)

    def _write(self, path: Path, clip: Clip) -> None:
        with new_file(path) as stream:
            np.save(stream, _frames(clip, self.look), allow_pickle=False)


def write_frames(
    clips: Sequence[Clip], look: Look, root: Path, place: Launcher, progress: Progress = SILENT
) -> FrameFiles:
    """Decode the frames of clips that are not on disk yet.

    A clip that cannot be read is listed and stops nothing.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    """
    folder = (root / _key(look)).absolute()
    return frame_files(DecodeFrames(look, str(folder)), folder, clips, place, progress)


def decoded_once(clip: Clip, folder: str, write: Callable[[Path, Clip], None]) -> Decoded:
    """Write the frames of a clip, unless they are there; that it cannot be read is an answer."""
    try:
        path = Path(folder) / f"{clip_digest(clip)}.npy"
        if not path.is_file():
            write(path, clip)
    except VideoError as error:
        return Decoded(clip, "", str(error).removeprefix(f"{clip.path}: "))
    return Decoded(clip, str(path))


def frame_files(
    work: Workload[Clip, Decoded],
    folder: Path,
    clips: Sequence[Clip],
    place: Launcher,
    progress: Progress,
) -> FrameFiles:
    """Bring the frames of clips into files of a folder by `decoded_once`, wherever it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    progress.start("decode frames", len(clips))
    found = list(place.map(work, clips, progress))
    return FrameFiles(
        {one.clip: Path(one.path) for one in found if not one.failure},
        tuple(Failure(clip_key(one.clip), one.failure) for one in found if one.failure),
    )


def are_stored(clips: Sequence[Clip]) -> bool:
    """Return whether all of these clips are frames in shards, by their names."""
    return all(
        (member := split_member(clip.path)) is not None and not PurePath(member[1]).suffix
        for clip in clips
    )


def check_stored(clips: Sequence[Clip], look: Look) -> None:
    """Refuse clips that are frames in shards, but not those that a look takes.

    Raises
    ------
    StoreError
        Says what to do.
    """
    folders: set[str] = set()
    for clip in clips:
        member = split_member(clip.path)
        folder = member[0].rpartition("/")[0] if member else ""
        if not member or folder in folders:
            continue
        folders.add(folder)
        with suppress(VideoError):  # of a clip that cannot be read is told where it is read
            if holds_frames(clip.path):
                stored = StoredFrames(clip.path).look
                wanted = FrameLook(look.sampling, look.preprocessing)
                if stored.facts != wanted.facts:
                    raise StoreError(f"{folder}: {mismatch(stored, wanted)}")


def _frames(clip: Clip, look: Look) -> Frames:
    with VideoReader(clip.path) as reader:
        ((_, frames_VTHWC),) = gather_views(reader, clip, [look])
    return frames_VTHWC


def _key(look: Look) -> str:
    size = look.preprocessing.facts
    geometry = [size[name] for name in size if name not in ("mean", "std")]
    facts = to_json([look.sampling.facts, geometry], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]
