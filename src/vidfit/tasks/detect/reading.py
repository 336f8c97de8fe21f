"""From labelled frames, in whatever format, to clips of one frame each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vidfit.boxes import Box, LabelledFrame
from vidfit.contracts import Clip, Failure, Seconds
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import Kind
from vidfit.manifest import Manifest, faults_of
from vidfit.manifest.annotations import read_annotations
from vidfit.manifest.recordings import read_recordings
from vidfit.shown import counted
from vidfit.tasks.detect.kind import KIND
from vidfit.tasks.detect.labels import FrameLabel, written
from vidfit.video import VideoReader

APART_SECONDS = 0.5
"""Frames of a video that are nearer to each other say the same twice: they are left out."""

_LAST_SECONDS = 0.04
_ODD_SHAPE = 0.02


@dataclass
class _Told:
    """What should be known of the frames, while they are read."""

    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    near: int = 0


def read_frames(
    source: str | Path, groups: Path | None = None, kind: Kind | None = None
) -> Manifest:
    """Read labelled frames, and return a clip of one frame for each.

    Read is what `vidfit.manifest.annotations` knows: COCO, YOLO, VOC, CVAT, MOT, Label Studio, and
    a CSV with path, frame, label, x, y, w, h. Of a video, frames are taken half a second apart.

    Raises
    ------
    ManifestError
        If the format is not known, or no frame can be used.
    """
    found = read_annotations(source)
    named = dict(read_recordings(groups)) if groups else {}
    told = _Told([*found.rejected, *found.missing], [f"{n.name}: {n.text}" for n in found.notes])
    by_path: dict[str, list[LabelledFrame]] = defaultdict(list)
    for frame in found.frames:
        by_path[frame.path].append(frame)
    clips = [
        clip
        for path, frames in by_path.items()
        for clip in _of_video(path, frames, _group(path, named), told)
    ]
    if not clips:
        none = "" if told.failures else "; none is there"
        raise ManifestError(
            f"no labelled frame of {source} can be used{none}", faults_of(told.failures)
        )
    if told.near:
        told.warnings.append(
            f"{counted(told.near, 'frame')} left out, less than {APART_SECONDS:g} s from others "
            "of their video: they say the same twice."
        )
    return Manifest(
        tuple(clips),
        "as the file of groups or the annotations say, or by video",
        tuple(told.warnings),
        tuple(told.failures),
        f"labelled frames ({found.form})",
        (),
        KIND,
    )


def _group(path: str, named: Mapping[str, str]) -> str | None:
    """Return the recording that a file of groups names for a video: by name, or end of path."""
    place = Path(path)
    for name in (place.name, place.stem, f"{place.parent.name}/{place.name}", path):
        if name in named:
            return named[name]
    return None


def _of_video(
    path: str, frames: Sequence[LabelledFrame], group: str | None, told: _Told
) -> Iterator[Clip]:
    """Yield the clips of a video, or of a photo."""
    try:
        with VideoReader(path) as reader:
            pts_seconds = reader.pts_seconds
            size = reader.info.width_pixels, reader.info.height_pixels
    except VideoError as error:
        told.failures.append(Failure(path, str(error).removeprefix(f"{path}: ")))
        return
    after = -np.inf
    for frame in sorted(frames, key=lambda one: one.index or 0):
        index = frame.index or 0
        name = f"{path}, frame {index}"
        if index >= len(pts_seconds):
            told.failures.append(
                Failure(name, f"the video has {counted(len(pts_seconds), 'frame')}")
            )
        elif pts_seconds[index] < after:
            told.near += 1
        elif why := _other_shape(frame.size_pixels, size):
            told.failures.append(Failure(name, why))
        else:
            after = float(pts_seconds[index]) + APART_SECONDS - 1e-6
            yield _clip(
                replace(frame, size_pixels=frame.size_pixels or size), size, group, pts_seconds
            )


def _clip(
    frame: LabelledFrame, size: tuple[int, int], group: str | None, pts_seconds: Seconds
) -> Clip:
    index = frame.index or 0
    start = float(pts_seconds[index])
    last = index + 1 >= len(pts_seconds)
    end = start + _LAST_SECONDS if last else float(pts_seconds[index + 1])
    wide, high = frame.size_pixels or size
    boxes = tuple(_in_shares(box, wide, high) for box in frame.boxes)
    label = written(FrameLabel(size, tuple(box for box in boxes if _has_area(box))))
    return Clip(
        frame.path,
        start,
        None if frame.index is None else end,
        label,
        group or frame.group,
        frame.split,
    )


def _in_shares(box: Box, wide: int, high: int) -> Box:
    """Return a box in shares of the picture, cut to it."""
    edges = np.array(box.edges) / (wide, high, wide, high)
    left, top, right, bottom = (float(x) for x in np.clip(edges, 0.0, 1.0).round(5))
    name = box.label.replace(";", ",").strip() or "object"
    return Box(name, left, top, right, bottom, ignored=box.ignored)


def _has_area(box: Box) -> bool:
    return box.left < box.right and box.top < box.bottom


def _other_shape(said: tuple[int, int] | None, size: tuple[int, int]) -> str:
    """Return why boxes of a picture of another shape cannot be laid on this one."""
    if said is None or abs(said[0] * size[1] / (said[1] * size[0]) - 1.0) <= _ODD_SHAPE:
        return ""
    return (
        f"its boxes are of a picture of {said[0]} x {said[1]} pixels, and it has "
        f"{size[0]} x {size[1]}"
    )
