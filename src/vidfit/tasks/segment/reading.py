"""From pictures and masks, in folders, a table or COCO, to labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Seconds
from vidfit.errors import ManifestError, VideoError
from vidfit.labels import Kind
from vidfit.manifest import Manifest, faults_of
from vidfit.manifest.annotations import MaskedFrame, index_mask
from vidfit.manifest.annotations import read_masks as read_annotated
from vidfit.manifest.annotations.masks import mask_text
from vidfit.manifest.annotations.media import picture_size
from vidfit.manifest.groups import assign_groups
from vidfit.manifest.value import Listing
from vidfit.shown import counted
from vidfit.tasks.segment.kind import Masks, named
from vidfit.tasks.task import Task
from vidfit.video import VideoReader

_LAST_SECONDS = 0.04
"""Of the last frame of a video."""


def read_masks(
    source: str | Path, groups: Path | None = None, kind: Kind | None = None
) -> Manifest:
    """Read pictures with a mask each, in folders, a table or COCO.

    Number 255, and classes called void, ignore or unlabelled, are left out. A mask may be of
    another size than its picture, but not of another shape. The objects of COCO are drawn, and the
    label of their picture is the text of the mask.

    Raises
    ------
    ManifestError
        If there are none, or none can be read.
    """
    found = read_annotated(source)
    listing = Listing(Path(source), f"pictures and masks ({found.form})")
    listing.rejected += [*found.rejected, *found.missing]
    listing.warnings += [f"{note.name}: {note.text}" for note in found.notes]
    for frame in found.frames:
        try:
            listing.clips.append(_clip(frame, found.classes))
        except (VideoError, ValueError) as error:
            listing.reject(frame.path, str(error))
    if not listing.clips:
        none = "" if listing.rejected else "; it lists none"
        raise ManifestError(
            f"no picture of {source} has a mask that can be read{none}",
            faults_of(listing.rejected),
        )
    masks = named(found.classes)
    _notice(listing, masks)
    if any(clip.group for clip in listing.clips) and groups is None:
        listing.grouping = "as the table or the annotations say"
    clips = assign_groups(listing, groups)
    return Manifest(
        tuple(clips), listing.grouping, tuple(listing.warnings), tuple(listing.rejected),
        listing.layout, (), masks,
    )  # fmt: skip


def as_named(task: Task, manifest: Manifest) -> Task:
    """Return the task with the classes that the masks have."""
    kind = manifest.kind
    if not isinstance(kind, Masks):
        return task
    return replace(task, kind=kind, learner=replace(task.learner, kind=kind))  # type: ignore[type-var]


def _clip(frame: MaskedFrame, classes: Sequence[str]) -> Clip:
    """Return a picture, or a frame of a video, and its mask.

    Raises
    ------
    VideoError, ValueError
        If it cannot be read.
    """
    label = frame.mask or mask_text(index_mask(frame, classes))
    if frame.index is None:
        if picture_size(Path(frame.path)) is None:
            raise ValueError("it cannot be read as a picture")
        return Clip(frame.path, label=label, group=frame.group, split=frame.split)
    pts_seconds = _times(frame.path)
    if frame.index >= len(pts_seconds):
        raise ValueError(
            f"the video has {counted(len(pts_seconds), 'frame')}, and none of {frame.index}"
        )
    start, *later = pts_seconds[frame.index : frame.index + 2].tolist()
    end = later[0] if later else start + _LAST_SECONDS
    return Clip(frame.path, start, end, label, frame.group, frame.split)


@lru_cache(maxsize=1)
def _times(video: str) -> Seconds:
    with VideoReader(video) as reader:
        return reader.pts_seconds


def _notice(listing: Listing, masks: Masks) -> None:
    """Warn of classes that cannot be tested, for no pixel is of them."""
    there_MC = masks.strata(masks.truth(listing.clips, masks.names))
    there = np.flatnonzero(there_MC.any(axis=0)).tolist()
    absent = [name for number, name in enumerate(masks.names) if number not in there]
    if absent:
        listing.warnings.append(f"No pixel is labelled {', '.join(absent)}: never answered.")
    if len(there) < 2:
        raise ManifestError(
            "all labelled pixels are of one class; two classes or more are needed to learn from"
        )
