"""Say of each pixel of a video's frames what it shows: masks, shares over time, flicker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Frames
from vidfit.errors import VideoError
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo, whole_number
from vidfit.jobs.predict.masks.finder import MaskFinder, open_masks
from vidfit.jobs.predict.masks.flicker import FlickerCount
from vidfit.jobs.predict.masks.looks import MaskLook, look_at, shares, step_of
from vidfit.jobs.predict.masks.written import (
    VideoMasks,
    as_data,
    check_formats,
    mask_files,
    overlaid,
    write_json,
)
from vidfit.shown import counted
from vidfit.video import VideoReader, write_video

_NAMED = 4


def run_masks(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield what is told of the masks of each video; one frame is in memory at a time.

    A video that cannot be read is told of, and stops nothing.

    Raises
    ------
    VidfitError
        If an option or a format is none.
    ModelError, BackboneError
        If the model does not answer with masks here.
    StoreError
        If a file cannot be written.
    """
    every = whole_number(asked.options, "every", 1)
    finder = open_masks(asked.model, asked.own)
    if asked.output:
        check_formats(asked.formats)
    for video, name in zip(asked.videos, asked.names, strict=True):
        if isinstance(video, Failure):
            yield ToldOfVideo(video.name, failure=video.reason)
            continue
        try:
            masks = _answered(video, name, finder, every, asked)
        except VideoError as error:
            yield ToldOfVideo(video.path, failure=str(error).removeprefix(f"{video.path}: "))
        else:
            yield ToldOfVideo(masks.path, _lines(masks), as_data(masks))


def _answered(
    clip: Clip, name: str, finder: MaskFinder, every: int | None, asked: AskedOfTask
) -> VideoMasks:
    """Look at a video once, and write all of its files beside one another."""
    classes = finder.classes
    with VideoReader(clip.path) as reader:
        step = step_of(reader, every)
        first, last = reader.span_of(clip)
        asked.progress.start(Path(clip.path).name, len(range(first, last + 1, step)))
        tally = _MaskTally(len(classes))
        formats = asked.formats if asked.output else ()
        with mask_files(asked.output, name, formats, classes) as files:

            def looks() -> Iterator[MaskLook]:
                for look in look_at(reader, clip, finder, step):
                    tally.add(look)
                    files.add(look)
                    asked.progress.advance()
                    yield look

            if asked.output and "mp4" in formats:
                rate = max((reader.info.average_fps or 1.0) / step, 0.1)
                frames = _one_size(overlaid(look, classes) for look in looks())
                write_video(asked.output / f"{name}.mp4", frames, rate)
            else:
                for _ in looks():
                    pass
        if not tally.looks:
            raise VideoError(f"{clip.path}: no frame of it can be read")
        masks = VideoMasks(
            clip.path, reader.info.duration_seconds, reader.info.width_pixels,
            reader.info.height_pixels, reader.info.frame_count, step, tally.looks, classes,
            tuple(float(x) for x in tally.total_C / tally.looks), tally.flicker.share,
            tuple(filter(None, (reader.shortfall, finder.note))),
        )  # fmt: skip
    if asked.output and "json" in formats:
        write_json(masks, asked.output / f"{name}.json")
    return masks


class _MaskTally:
    """What is counted while looks go by."""

    def __init__(self, classes: int) -> None:
        self.looks, self.total_C = 0, np.zeros(classes)
        self.flicker = FlickerCount()

    def add(self, look: MaskLook) -> None:
        self.looks += 1
        self.total_C += shares(look.labels_YX, len(self.total_C))
        self.flicker.add(look.picture_YX3, look.labels_YX)


def _one_size(frames: Iterator[Frames]) -> Iterator[Frames]:
    """Yield frames of the size of the first, as a video wants them."""
    import cv2

    first = None
    for frame in frames:
        first = frame.shape if first is None else first
        same = frame.shape == first
        yield frame if same else np.asarray(cv2.resize(frame, (first[1], first[0])), np.uint8)


def _lines(masks: VideoMasks) -> tuple[str, ...]:
    """Return what a person reads of a video."""
    order = sorted(range(len(masks.classes)), key=lambda c: -masks.shares[c])
    named = ", ".join(f"{masks.classes[c]} {masks.shares[c]:.0%}" for c in order[:_NAMED])
    followed = (
        "no motion to follow" if masks.flicker is None else f"{masks.flicker:.1%} of pixels flip"
    )
    head = (
        f"{masks.path}: {counted(masks.looks, 'frame')}, every {masks.every} of {masks.frame_count}"
    )
    return (f"{head}: {named}; {followed}", *(f"  {note}" for note in masks.notes))
