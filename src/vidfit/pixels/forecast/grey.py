"""Videos as small grey frames on disk, and the windows of them that are learned from or measured.

::

    folder/<side>/<digest of the clip>.npy      uint8 [F, H, W], of a file of records [N, F, H, W]

Files are named by what they hold and written whole: what is there is never decoded again. Frames
are all those of the clip, the whole picture scaled to a square, in the luma of ITU-R BT.601.

Shape letters: F frames of a video, M windows, S frames of a window, H and W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from vidfit.contracts import Clip, Failure, Frames, Preprocessing, clip_key
from vidfit.errors import VideoError
from vidfit.features.frames import Decoded, decoded_once, frame_files
from vidfit.files import new_file
from vidfit.pixels.forecast.records import is_of_records, trajectories
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.threads import in_threads
from vidfit.video import DecodedFrame, VideoReader
from vidfit.work import Launcher, Work


@dataclass(frozen=True)
class GreyVideo:
    """The frames of a clip.

    Parameters
    ----------
    recording
        Windows of one recording are never on both sides of a split.
    frames_FHW
        On disk.
    held_out
        Whether the data puts it aside to be measured on.
    """

    name: str
    recording: str
    frames_FHW: Frames
    held_out: bool = False

    @property
    def is_black(self) -> bool:
        """Whether no pixel is lit, as far as ten frames tell."""
        some = np.linspace(0, len(self.frames_FHW) - 1, 10).astype(int)
        return not np.asarray(self.frames_FHW[some]).any()


@dataclass(frozen=True)
class DecodeGrey:
    """The task of bringing grey frames into files, wherever it runs (`vidfit.work.Workload`)."""

    side_pixels: int
    folder: str
    item: type[Clip] = Clip
    result: type[Decoded] = Decoded

    def open(self, workers: int) -> Work[Clip, Decoded]:
        """Return what decodes clips in their order."""
        return lambda clips: in_threads(self._one, clips, workers)

    def _one(self, clip: Clip) -> Decoded:
        return decoded_once(clip, self.folder, self._write)

    def _write(self, path: Path, clip: Clip) -> None:
        _decode(clip, self.side_pixels, path)


def grey_videos(
    clips: Sequence[Clip],
    side_pixels: int,
    folder: Path,
    place: Launcher,
    progress: Progress = SILENT,
) -> tuple[list[GreyVideo], list[Failure]]:
    """Decode clips that are not on disk yet; a clip that cannot be read stops nothing.

    Raises
    ------
    StoreError
        If the disk is full or the folder cannot be written.
    """
    root = (folder / str(side_pixels)).absolute()
    found = frame_files(DecodeGrey(side_pixels, str(root)), root, clips, place, progress)
    videos = [video for clip, path in found.paths.items() for video in _videos_in(clip, path)]
    return videos, list(found.failures)


def _videos_in(clip: Clip, path: Path) -> list[GreyVideo]:
    """Return the video of a clip, or those of a file of trajectories.

    Each trajectory of a test set is a recording of its own; to learn from, their file is one.
    """
    frames, aside = np.load(path, mmap_mode="r", allow_pickle=False), clip.split == "test"
    if frames.ndim == 3:
        return [GreyVideo(clip_key(clip), clip.recording, frames, aside)]
    return [
        GreyVideo(
            f"{clip_key(clip)}, trajectory {n}",
            f"{clip.recording}/{n}" if aside else clip.recording,
            frames[n],
            aside,
        )
        for n in range(len(frames))
    ]


def long_enough(videos: Sequence[GreyVideo], frames: int) -> tuple[list[GreyVideo], list[Failure]]:
    """Return the videos that have so many frames, and why the others are left out."""
    kept = [video for video in videos if len(video.frames_FHW) >= frames]
    short = [
        Failure(
            video.name,
            f"it has {counted(len(video.frames_FHW), 'frame')}, and {frames} are needed: those "
            "that are seen and those ahead",
        )
        for video in videos
        if len(video.frames_FHW) < frames
    ]
    return kept, short


def grey(frame: DecodedFrame, side_pixels: int) -> Frames:
    """Return a frame as grey pixels [H, W] of a square."""
    import cv2

    rgb = frame.rgb(Preprocessing(side_pixels, side_pixels))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _decode(clip: Clip, side_pixels: int, path: Path) -> None:
    """Write the frames of a clip one after the other, or those of all trajectories of a file."""
    if is_of_records(clip.path):
        frames_NFHW = trajectories(Path(clip.path), side_pixels)
        with new_file(path) as stream:
            np.save(stream, frames_NFHW, allow_pickle=False)
        return
    with VideoReader(clip.path) as reader:
        if reader.stored:
            raise VideoError("frames in shards are not read by this task; give the videos")
        first, last = reader.span_of(clip)
        shape = (last + 1 - first, side_pixels, side_pixels)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with new_file(path) as stream:
            npy.write_array_header_1_0(stream, header)
            for frame in reader.frames(range(first, last + 1)):
                stream.write(grey(frame, side_pixels).tobytes())


@dataclass(frozen=True)
class DrawFromVideos:
    """Draws windows to learn from: a recording, one of its videos by length, a place in it."""

    videos: Sequence[GreyVideo]
    frames: int
    _of: dict[str, list[GreyVideo]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for video in self.videos:
            self._of.setdefault(video.recording, []).append(video)

    def __call__(self, rng: np.random.Generator, count: int) -> Frames:
        """Return windows [M, S, H, W]."""
        recordings = list(self._of.values())
        drawn = []
        for _ in range(count):
            videos = recordings[rng.integers(len(recordings))]
            starts = np.array([len(one.frames_FHW) - self.frames + 1 for one in videos])
            video = videos[rng.choice(len(videos), p=starts / starts.sum())]
            start = rng.integers(len(video.frames_FHW) - self.frames + 1)
            drawn.append(np.asarray(video.frames_FHW[start : start + self.frames]))
        return np.stack(drawn)


@dataclass(frozen=True)
class HeldOutWindows:
    """Windows that are measured on: uint8 [M, S, H, W], with the recording of each."""

    windows_MSHW: Frames
    groups: tuple[str, ...]
    names: tuple[str, ...]


def windows_of(videos: Sequence[GreyVideo], frames: int, most: int) -> HeldOutWindows:
    """Return windows, at most so many, spread evenly over recordings and over their time."""
    recordings: dict[str, list[tuple[GreyVideo, int]]] = {}
    for video in videos:
        starts = range(0, len(video.frames_FHW) - frames + 1, frames)
        recordings.setdefault(video.recording, []).extend((video, start) for start in starts)
    each = max(1, most // len(recordings))
    chosen = []
    for places in recordings.values():
        spread = np.linspace(0, len(places) - 1, min(each, len(places))).round().astype(int)
        chosen += [places[i] for i in spread]
    chosen = chosen[:most]
    windows = np.stack([np.asarray(v.frames_FHW[at : at + frames]) for v, at in chosen])
    names = tuple(f"{video.name}, frame {at}" for video, at in chosen)
    return HeldOutWindows(windows, tuple(video.recording for video, _ in chosen), names)
